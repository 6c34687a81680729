import {join} from 'node:path';
import {comparePaths} from '../../cpython/interpreter/installation/interpreter-paths.js';
import type {Artifact} from '../../model/action.js';
import {type Result, err, ok} from '../../model/result.js';
import type {Host, LinkedImages, Objects, Site} from '../../pipeline/host.js';
import type {InstalledToolchain} from './installed-toolchain.js';
import {redirectExports} from '../link/exported-functions.js';
import {regionLink} from '../link/region-functions.js';
import {type LinkRecipe, link, wrapFlags} from '../link/link.js';
import type {RelinkOptions} from '../../pipeline/build-options.js';
import {executableCheck, toolchainForExecutable} from './new-executable.js';
import type {Places} from '../../pipeline/build-places.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import {findStaticParts, linkCommand, linkLibraries, wholeArchive} from './static-parts.js';

/** The toolchain of an installed Python that can be relinked, with what it is linked from. */
export interface RelinkToolchain extends InstalledToolchain {
  readonly main: Artifact;
  readonly archive: Artifact;
}

/**
 * Links a new executable from an installed Python: its main program, its static archive, and images. Nothing that is
 * installed is touched.
 */
export function relinkHost(options: RelinkOptions, places: Places): Host<RelinkToolchain> {
  return {
    kind: options.forSnapshot === true ? 'snapshot' : 'relink',
    places,
    prepare: (site) => prepareRelink(options, places, site),
    link: (objects, plan, toolchain, site) => relink(objects, plan, toolchain, options, places, site),
  };
}

/** Fails with PYTHON for a Python that has no archive, with OUTPUT, and as `installedToolchain` does. */
export async function prepareRelink(
  options: RelinkOptions,
  places: Places,
  site: Site,
): Promise<Result<RelinkToolchain>> {
  const addressModel = options.pie ? 'position-independent' : 'absolute';
  const toolchain = await toolchainForExecutable(options, addressModel, places, site);
  if (!toolchain.ok) return toolchain;
  const {installation} = toolchain.value;
  const parts = findStaticParts(installation, options.pie);
  if (!parts.ok) return parts;
  const main = await site.engine.source('python.o', parts.value.main);
  if (!main.ok) return main;
  const archive = await site.engine.source(installation.variables.LIBRARY, parts.value.archive);
  if (!archive.ok) return archive;
  return ok({...toolchain.value, main: main.value, archive: archive.value});
}

async function relink(
  objects: Objects,
  plan: FreezePlan,
  toolchain: RelinkToolchain,
  options: RelinkOptions,
  places: Places,
  site: Site,
): Promise<Result<LinkedImages>> {
  const {layout, main, archive} = toolchain;
  const {images, tables, runtime} = objects;
  const {wrapped, redirected, flags} = regionLink(layout.wrapped, options.forSnapshot);
  const linked = await link(
    {
      ...commonRecipe(toolchain, places),
      id: 'link:python',
      debugInfo: options.debugInfo,
      command: [linkCommand(toolchain), ...flags, wrapFlags(wrapped)].join(' '),
      parts: [main, images, ...tables, ...runtime, ...wholeArchive(archive)],
      out: options.out,
      finish: {inputs: [], apply: (python) => redirectExports(python, redirected)},
      check: executableCheck(objects, plan, toolchain, 'linked', site),
    },
    places,
    site,
  );
  if (linked.ok) return ok({output: options.out, sha256: linked.value.digest, images: options.out});
  const {failure} = linked;
  if (!options.pie || !/recompile with -f(PIC|PIE)/.test(failure.details ?? '')) return linked;
  return err({
    ...failure,
    message: `${archive.path} was compiled for executables with fixed addresses`,
    hint: 'omit --pie',
  });
}

/**
 * `link:plain`: the same archive without images, which is what a relinked interpreter is measured against. Fails as
 * `link` does.
 */
export function linkPlain(toolchain: RelinkToolchain, places: Places, site: Site): Promise<Result<Artifact>> {
  const {installation, interpreter, main, archive} = toolchain;
  return link(
    {
      ...commonRecipe(toolchain, places),
      id: 'link:plain',
      debugInfo: true,
      command: linkCommand(toolchain),
      parts: [main, ...wholeArchive(archive)],
      out: join(places.root, 'plain', 'python'),
      check: async (python, isNew) => (isNew ? comparePaths({...interpreter, python}, installation) : ok()),
    },
    places,
    site,
  );
}

function commonRecipe(
  {installation, cc}: RelinkToolchain,
  places: Places,
): Pick<LinkRecipe, 'tools' | 'compiler' | 'libraries' | 'cwd'> {
  return {
    tools: [cc.compiler],
    compiler: cc.command,
    libraries: linkLibraries(installation),
    cwd: places.root,
  };
}
