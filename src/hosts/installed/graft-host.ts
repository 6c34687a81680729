import {basename, dirname, join} from 'node:path';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {tryImages, type TriedDifference, type TriedModule} from '../../cpython/interpreter/try-images.js';
import {comparePaths} from '../../cpython/interpreter/installation/interpreter-paths.js';
import {checkUnfrozen} from '../../cpython/interpreter/installation/refused-builds.js';
import {ensureFolder, removeQuietly} from '../../fs/files.js';
import {existsSync} from '../../fs/recorded-fs.js';
import {replaceByProgram} from '../../fs/fresh-file.js';
import {RUNTIME_FOLDER} from '../../fs/package-files.js';
import type {Artifact} from '../../model/action.js';
import {type Result, err, ok} from '../../model/result.js';
import {type Places, placesOf} from '../../pipeline/build-places.js';
import type {RelinkOptions} from '../../pipeline/build-options.js';
import {defaultBuildDir} from '../../pipeline/default-build-dir.js';
import type {Host, LinkedImages, Objects, Site} from '../../pipeline/host.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import {output} from '../../pipeline/action-output.js';
import {link} from '../link/link.js';
import {imageCheck} from '../link/image-check.js';
import {LINKING} from '../link/linking-identity.js';
import {addressFlag, fixAddresses} from './fixed-addresses.js';
import {type Patchelf, findPatchelf} from './patchelf.js';
import {withPreloaded} from './preloaded.js';
import {programNameOf} from './original-path.js';
import type {InstalledToolchain} from './installed-toolchain.js';
import {toolchainForExecutable} from './new-executable.js';
import {copyExecutable} from './copy-executable.js';
import {checkGraftable} from './graft-obstacle.js';

/** The toolchain of an installed Python whose executable is copied. */
export interface GraftToolchain extends InstalledToolchain {
  /** The executable to copy: of a virtual environment, its base Python's. */
  readonly original: Artifact;
  readonly patchelf: Patchelf;
}

/** The library of images that a grafted executable needs, which lies beside it. */
export function graftLibrary(out: string): string {
  return join(dirname(out), `${basename(out)}-images.so`);
}

/**
 * A copy of an installed Python's executable that needs one more library, the images. It needs no static archive, and keeps
 * the code that the Python was distributed with. Nothing that is installed is touched.
 */
export function graftHost(options: RelinkOptions, cacheDir: string): Host<GraftToolchain> {
  // That of a link, where the trial link was: a run whose memo says that there is nothing to do has one build directory.
  const places = placesOf(options.buildDir ?? defaultBuildDir('relink', options, cacheDir));
  return {
    kind: 'graft',
    places,
    prepare: (site) => prepareGraft(options, places, site),
    link: (objects, plan, toolchain, site) => graft(objects, plan, toolchain, options, places, site),
  };
}

/** Fails with PATCHELF, OUTPUT, and as `installedToolchain` does. */
async function prepareGraft(
  options: RelinkOptions,
  places: Places,
  site: Site,
): Promise<Result<GraftToolchain>> {
  const toolchain = await toolchainForExecutable(options, 'position-independent', places, site);
  if (!toolchain.ok) return toolchain;
  const {installation, target} = toolchain.value;
  const unfrozen = checkUnfrozen(target);
  if (!unfrozen.ok) return unfrozen;
  const graftable = await checkGraftable(installation);
  if (!graftable.ok) return graftable;
  const patchelf = await findPatchelf(places, site);
  if (!patchelf.ok) return patchelf;
  const programName = await programNameOf(options.out, toolchain.value, places);
  if (!programName.ok) return programName;
  const original = await site.engine.source('original', installation.baseExecutable);
  return original.ok
    ? ok({
        ...{...toolchain.value, original: original.value, patchelf: patchelf.value},
        programName: programName.value,
      })
    : original;
}

async function graft(
  objects: Objects,
  plan: FreezePlan,
  toolchain: GraftToolchain,
  options: RelinkOptions,
  places: Places,
  site: Site,
): Promise<Result<LinkedImages>> {
  const {cc, interpreter, original} = toolchain;
  const {images, tables, runtime} = objects;
  const check = imageCheck(objects, plan, toolchain, site);
  const hidden = await site.engine.source('hidden.ld', join(RUNTIME_FOLDER, 'graft', 'hidden.ld'));
  if (!hidden.ok) return hidden;
  const address = await addressFlag(toolchain.installation, cc, places, site);
  if (!address.ok) return address;
  const tried = {...interpreter, python: original.path};
  const library = await link(
    {
      id: 'link:images',
      tools: [cc.compiler],
      compiler: cc.command,
      debugInfo: false,
      command: [cc.command, '-shared', address.value].filter((word) => word !== '').join(' '),
      parts: [...images, ...tables, ...runtime, hidden.value],
      libraries: '',
      out: graftLibrary(options.out),
      cwd: places.root,
      ...(address.value !== '' && {
        finish: {inputs: [original], apply: (path: string) => fixAddresses(path, tried)},
      }),
      // Loaded before the original executable's own code runs, like by its copy.
      check: (path, isNew) =>
        check(isNew, (modules) => withPreloaded(path, tried, (preloaded) => tryGraft(preloaded, modules))),
    },
    places,
    site,
  );
  if (!library.ok) return library;
  const grafted = await linkExecutable(library.value, toolchain, options.out, site);
  if (!grafted.ok) {
    // Nobody needs a library without its executable.
    if (!existsSync(options.out)) await removeQuietly(library.value.path);
    return grafted;
  }
  return ok({output: options.out, sha256: grafted.value.digest, images: library.value.path});
}

/** `link:python`: the copy, which an edit of a module leaves as it is. Fails with LINK, OUTPUT and SMOKE. */
async function linkExecutable(
  library: Artifact,
  {original, patchelf, installation, interpreter}: GraftToolchain,
  out: string,
  {engine}: Site,
): Promise<Result<Artifact>> {
  const copied = await engine.run({
    id: 'link:python',
    tools: [patchelf.identity, LINKING],
    arguments: {library: library.path},
    environment: {},
    // Not the library: its name is all that the copy has of it, and `link:images` checks it.
    inputs: [original],
    outputs: [{name: 'linked', path: out, executable: true}],
    storage: 'in-place',
    async execute() {
      const folder = await ensureFolder(dirname(out));
      if (!folder.ok) return err({...folder.failure, code: 'OUTPUT'});
      return replaceByProgram(out, {
        write: (fresh) =>
          copyExecutable(
            {from: original.path, origin: dirname(original.path)},
            library.path,
            fresh,
            patchelf,
            out,
          ),
        async check(fresh) {
          const python = {...interpreter, python: fresh};
          const right = await comparePaths(python, installation);
          if (!right.ok) return right;
          const used = await tryGraft(python, []);
          return used.ok ? ok() : used;
        },
      });
    },
  });
  return copied.ok ? ok(output(copied.value, 'linked')) : copied;
}

/** `tryImages` for a graft, isolated from the user's own site-packages and variables. */
function tryGraft(
  interpreter: Interpreter,
  modules: readonly TriedModule[],
): Promise<Result<readonly TriedDifference[]>> {
  return tryImages(interpreter, ['-I', '-B'], {kind: 'grafted'}, modules);
}
