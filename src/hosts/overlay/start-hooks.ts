/**
 * The ways in which an unmodified interpreter loads an overlay when it starts. None of them can keep it from starting: an
 * overlay that is missing, damaged or made for another Python is ignored.
 */

import type {PythonVersion} from '../../cpython/interpreter/version.js';

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
    // Python 2 has no sys.implementation.
    `getattr(getattr(sys, 'implementation', None), 'cache_tag', None) == ${pythonText(cacheTag)}`,
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

/** The same, as a comment may say it. */
function describePlace({extension}: HookedOverlay): string {
  return placeOf(extension).replace(/^__file__.* /, '');
}

/** `flashfreeze.pth`. Of such a file, site.py (addpackage) executes the lines that begin with `import`: this is one. */
export function pthLine(overlay: HookedOverlay): string {
  const body = `try: ${statements(overlay).join('; ')}\nexcept Exception: pass`;
  return `import sys; ${condition(overlay)} and exec(${pythonText(body)}, {})\n`;
}

/**
 * Whether `site` reads `.start` files (PEP 829; 3.15, Lib/site.py, _read_start_file()): in a directory that has one, it does not execute
 * the lines of the `.pth` file of the same name, which a later version will do nowhere.
 */
export function readsStartFiles({major, minor}: PythonVersion): boolean {
  return major > 3 || minor >= 15;
}

/** `flashfreeze.start`: calls a function of `flashfreeze_start.py`, which lies beside it. */
export const START_FILE = 'flashfreeze_start:load\n';

/** `flashfreeze_start.py`. When it is done, everything is as if it had not been imported. */
export function startModule(overlay: HookedOverlay): string {
  return `# Loads the frozen modules of ${describePlace(overlay)}. Made by flashfreeze.
def load():
    import sys

    sys.modules.pop(__name__, None)
    if ${condition(overlay)}:
        try:
${indented(statements(overlay))}        except Exception:
            pass
`;
}

/** Statements of the body of a `try` in a function. */
function indented(lines: readonly string[]): string {
  return lines.map((line) => `            ${line}\n`).join('');
}

/**
 * `sitecustomize.py`, for a directory of its own that is put on PYTHONPATH. site.py (execsitecustomize) imports it, or the sitecustomize
 * of another tool runs it as the next one. When it is done, everything is as if the directory were not on sys.path: the next
 * sitecustomize has run, in the way in which whoever ran this one would have run it, or the search for one has failed as it would have.
 * Children that inherit PYTHONPATH may be any Python from 2.7 on: they leave the overlay alone.
 *
 * Lib/importlib/_bootstrap.py, 3.10 to 3.15: an import and a reload take what is in sys.modules in the end (_load_unlocked(), _exec()).
 */
export function siteCustomize(overlay: HookedOverlay): string {
  return `# Loads the frozen modules of ${describePlace(overlay)} and hands over to the next sitecustomize. Made by flashfreeze.
def _flashfreeze_start(space):
    import sys

    folder = __file__.rpartition("/")[0]
    place = sys.path.index(folder) if folder in sys.path else len(sys.path)
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)
    if ${condition(overlay)}:
        try:
${indented(statements(overlay))}        except Exception:
            pass
    module = sys.modules.get("sitecustomize")
    if getattr(module, "__dict__", None) is not space:
        # Another tool looked for the next sitecustomize by itself and runs it outside of sys.modules: the next one is behind this one.
        import _frozen_importlib_external as external

        spec = external.PathFinder.find_spec("sitecustomize", sys.path[place:])
        if spec is not None:
            space.update(__spec__=spec, __loader__=spec.loader, __file__=spec.origin, __cached__=spec.cached)
            exec(spec.loader.get_code("sitecustomize"), space)
        return
    frame = sys._getframe(1).f_back
    while frame is not None and frame.f_globals is not space:
        frame = frame.f_back
    if frame is None:
        del sys.modules["sitecustomize"]
        import sitecustomize

        return
    # The sitecustomize of another tool, which runs in that frame, was reloaded to become the next one.
    import _frozen_importlib as bootstrap

    spec = bootstrap._find_spec("sitecustomize", None, module)
    if spec is not None:
        bootstrap._exec(spec, module)
        return
    import _frozen_importlib_external as external

    before = external.spec_from_file_location("sitecustomize", frame.f_code.co_filename)
    bootstrap._init_module_attrs(before, module, override=True)
    raise ModuleNotFoundError("spec not found for the module 'sitecustomize'", name="sitecustomize")


globals().pop("_flashfreeze_start")(globals())
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
