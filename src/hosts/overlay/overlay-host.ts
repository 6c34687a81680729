import {chmod} from 'node:fs/promises';
import {join} from 'node:path';
import {writeFileAtomic} from '../../fs/files.js';
import {tryOverlay, writeByteCode} from '../../cpython/interpreter/overlay-check.js';
import {checkUnfrozen} from '../../cpython/interpreter/installation/refused-builds.js';
import type {Target} from '../../cpython/interpreter/target.js';
import {digestOf} from '../../model/digest.js';
import {type Result, fail, ok} from '../../model/result.js';
import {defaultBuildDir} from '../../pipeline/default-build-dir.js';
import type {Host, LinkedImages, Objects, Site} from '../../pipeline/host.js';
import {type InstalledToolchain, installedToolchain} from '../installed/installed-toolchain.js';
import {imageCheck} from '../link/image-check.js';
import {link} from '../link/link.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import type {OverlayOptions} from '../../pipeline/build-options.js';
import {RUNTIME_FOLDER} from '../../fs/package-files.js';
import {type Places, placesOf} from '../../pipeline/build-places.js';
import {checkOverlayFolder} from './overlay-folder.js';
import {
  pthLine,
  readsStartFiles,
  siteCustomize,
  START_FILE,
  startModule,
  wrapperScript,
} from './start-hooks.js';

/** The paths in the directory of an overlay. */
export interface OverlayPlaces {
  /** The extension module. */
  readonly extension: string;
  /** For a directory of site-packages. */
  readonly pth: string;
  /** For a directory of site-packages of 3.15, beside the former. */
  readonly start: string;
  readonly startModule: string;
  /** For PYTHONPATH. */
  readonly siteFolder: string;
  /** Runs the Python with the overlay. */
  readonly wrapper: string;
}

export function overlayPlaces(out: string, target: Target): OverlayPlaces {
  return {
    extension: join(out, `_flashfreeze${target.extensionSuffix}`),
    pth: join(out, 'flashfreeze.pth'),
    start: join(out, 'flashfreeze.start'),
    startModule: join(out, 'flashfreeze_start.py'),
    siteFolder: join(out, 'site'),
    wrapper: join(out, 'bin', `python${target.version.series}`),
  };
}

/**
 * Images in an extension module that an unchanged interpreter loads when it starts, with the hooks that make it do so.
 * What CPython freezes itself is loaded before that, and is left alone.
 */
export function overlayHost(options: OverlayOptions, cacheDir: string): Host<InstalledToolchain> {
  const places = placesOf(options.buildDir ?? defaultBuildDir('overlay', options, cacheDir));
  return {
    kind: 'overlay',
    places,
    async prepare(site) {
      const request = {...options, addressModel: 'position-independent', replacesFrozen: false} as const;
      const fits = checkOverlayFolder(options.out);
      if (!fits.ok) return fits;
      const toolchain = await installedToolchain(request, places, site);
      const unfrozen = toolchain.ok ? checkUnfrozen(toolchain.value.target) : toolchain;
      return unfrozen.ok ? toolchain : unfrozen;
    },
    link: (objects, plan, toolchain, site) => linkOverlay(objects, plan, toolchain, options, places, site),
  };
}

async function linkOverlay(
  objects: Objects,
  plan: FreezePlan,
  toolchain: InstalledToolchain,
  options: OverlayOptions,
  places: Places,
  site: Site,
): Promise<Result<LinkedImages>> {
  const {cc, interpreter} = toolchain;
  const {images, tables, runtime} = objects;
  const check = imageCheck(objects, plan, toolchain, site);
  const {extension} = overlayPlaces(options.out, toolchain.target);
  const module = plan.modules.find(({isCPythonFrozen}) => !isCPythonFrozen);
  if (module === undefined) {
    return fail(
      'NO_MODULE',
      'none of the modules can be in an overlay: CPython freezes them itself, or they are not Python',
      {
        hint: 'select others, for example with --stdlib or --trace',
      },
    );
  }
  const exports = await site.engine.source('exports.ld', join(RUNTIME_FOLDER, 'overlay', 'exports.ld'));
  if (!exports.ok) return exports;
  const linked = await link(
    {
      id: 'link:python',
      tools: [cc.compiler],
      compiler: cc.command,
      debugInfo: false,
      command: `${cc.command} -shared`,
      parts: [...images, ...tables, ...runtime, exports.value],
      libraries: '',
      out: extension,
      cwd: places.root,
      check: (path, isNew) =>
        check(isNew, (modules) =>
          tryOverlay(
            interpreter,
            path,
            pthLine({extension: path, cacheTag: cacheTagOf(toolchain)}),
            {name: module.module, path: module.source},
            modules,
          ),
        ),
    },
    places,
    site,
  );
  if (!linked.ok) return linked;
  const hooked = await writeHooks(toolchain, options.out, site);
  return hooked.ok ? ok({output: options.out, sha256: linked.value.digest, images: extension}) : hooked;
}

/** `link:hooks`: the files that make an interpreter load the overlay. Fails with IO and COMPILE. */
async function writeHooks(toolchain: InstalledToolchain, out: string, site: Site): Promise<Result<void>> {
  const {interpreter} = toolchain;
  const places = overlayPlaces(out, toolchain.target);
  const overlay = {extension: places.extension, cacheTag: cacheTagOf(toolchain)};
  const customize = join(places.siteFolder, 'sitecustomize.py');
  const files = [
    {name: 'pth', path: places.pth, text: pthLine(overlay)},
    ...(readsStartFiles(toolchain.target.version)
      ? [
          {name: 'start', path: places.start, text: START_FILE},
          {name: 'start module', path: places.startModule, text: startModule(overlay)},
        ]
      : []),
    {name: 'sitecustomize', path: customize, text: siteCustomize(overlay)},
    {
      name: 'wrapper',
      path: places.wrapper,
      executable: true,
      text: wrapperScript(interpreter.python, places.siteFolder),
    },
  ];
  const hooks = await site.engine.run({
    id: 'link:hooks',
    tools: [toolchain.identity],
    arguments: files.map(({text}) => digestOf(text)),
    environment: {},
    inputs: [],
    outputs: [
      ...files,
      {
        name: 'bytecode',
        path: join(places.siteFolder, '__pycache__', `sitecustomize.${overlay.cacheTag}.pyc`),
      },
    ],
    storage: 'in-place',
    async execute() {
      for (const {path, text, executable} of files) {
        const written = await writeFileAtomic(path, text);
        if (!written.ok) return written;
        if (executable === true) await chmod(path, 0o755);
      }
      return writeByteCode(interpreter, customize);
    },
  });
  return hooks.ok ? ok() : hooks;
}

/** A Python without one writes no bytecode files, and names no extension modules after it. */
function cacheTagOf({target}: InstalledToolchain): string {
  return target.cacheTag ?? '';
}
