/**
 * The ways in which an unmodified interpreter loads an overlay when it starts. None of them can keep it from starting: an
 * overlay that is missing, damaged or made for another Python is ignored.
 */

/** The facts that the hooks of an overlay need. */
export interface HookedOverlay {
  /** The extension module: an absolute path, or a name beside `sitecustomize.py` for an overlay that can be moved. */
  readonly extension: string | {readonly beside: string};
  /** `sys.implementation.cache_tag` of the Pythons that can load it at all; the overlay itself checks which of them may use it. */
  readonly cacheTag: string;
}

/** Any text as a Python expression of ASCII characters on one line. */
export function pythonText(text: string): string {
  if (/^[\x20-\x7e\n]*$/.test(text)) {
    return `'${text.replaceAll(/['\\]/g, '\\$&').replaceAll('\n', '\\n')}'`;
  }
  const bytes = [...Buffer.from(text, 'utf8')].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return `b'${bytes.join('')}'.decode('utf-8', 'surrogateescape')`;
}

/** Whether this Python should load it: one of the right version that has no images of its own. */
function condition({cacheTag}: HookedOverlay): string {
  return [
    `sys.implementation.cache_tag == ${pythonText(cacheTag)}`,
    "'_flashfreeze' not in sys.modules",
    "'_flashfreeze' not in sys.builtin_module_names",
  ].join(' and ');
}

/** Loads it from its path, without importing anything: names of importlib that CPython 3.10 to 3.15 have. */
function statements({extension}: HookedOverlay): string[] {
  return [
    'import _frozen_importlib as b, _frozen_importlib_external as e',
    `p = ${placeOf(extension)}`,
    "b._load(e.spec_from_file_location('_flashfreeze', p, loader=e.ExtensionFileLoader('_flashfreeze', p)))",
  ];
}

/** A Python expression for a path. The hook's directory is the one on sys.path: `__file__` with its links not followed. */
function placeOf(extension: HookedOverlay['extension']): string {
  if (typeof extension === 'string') return pythonText(extension);
  return `__file__.rpartition('/')[0] + ${pythonText(`/${extension.beside}`)}`;
}

/** `flashfreeze.pth`. Of such a file, site.py (addpackage) executes the lines that begin with `import`: this is one. */
export function pthLine(overlay: HookedOverlay): string {
  const body = `try: ${statements(overlay).join('; ')}\nexcept Exception: pass`;
  return `import sys; ${condition(overlay)} and exec(${pythonText(body)}, {})\n`;
}

/**
 * `sitecustomize.py`, for a directory of its own that is put on PYTHONPATH. site.py (execsitecustomize) imports it; when it
 * is done, it has imported the sitecustomize that would have been imported without it, or failed as if there were
 * none: importlib takes what is in sys.modules in the end for the module that was asked for.
 */
export function siteCustomize(overlay: HookedOverlay): string {
  return `# Loads the frozen modules of ${placeOf(overlay.extension).replace(/^__file__.* /, '')}, and is gone. Made by flashfreeze.
import sys


def make_room():
    folder = __file__.rpartition("/")[0]
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)
    del sys.modules["sitecustomize"]


def load():
${statements(overlay)
  .map((line) => `    ${line}\n`)
  .join('')}

make_room()
if ${condition(overlay)}:
    try:
        load()
    except Exception:
        pass
import sitecustomize
`;
}

/** A shell script that runs a Python with the overlay, and otherwise behaves like it. */
export function wrapperScript(python: string, siteFolder: string): string {
  return `#!/bin/sh
# Runs ${shellText(python).replaceAll('\n', ' ')} with frozen modules. Made by flashfreeze.
PYTHONPATH=${shellText(siteFolder)}\${PYTHONPATH:+":$PYTHONPATH"}
export PYTHONPATH
exec ${shellText(python)} "$@"
`;
}

/** Text as one word of a shell. */
export function shellText(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
