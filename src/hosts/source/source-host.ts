import {resolve} from 'node:path';
import type {Layout} from '../../codegen/layout.js';
import {reproducibleEnvironment} from '../../cpython/build/reproducible-flags.js';
import {openSourceTree, type SourceTree} from '../../cpython/source/source-tree.js';
import {type Result, fail, ok} from '../../model/result.js';
import {shellWords} from '../../model/shell-words.js';
import {toolchainOfBuild} from './built-python.js';
import type {Host, LinkedImages, Site} from '../../pipeline/host.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import {executableFlags, linkStage2} from './link-source.js';
import type {SourceBuildOptions} from '../../pipeline/build-options.js';
import {type Reproducible, linkSource} from './reproducible-build.js';
import {imageCheck} from '../link/image-check.js';
import {regionLink} from '../link/region-functions.js';
import {placeOutput, predictOutput} from '../link/place-output.js';
import {type SourcePlaces, sourcePlacesOf} from '../../pipeline/build-places.js';
import {type Stage1, buildStage1, runEnvironment} from './stage1.js';
import type {Toolchain} from '../../pipeline/toolchain.js';

/** The toolchain of a CPython that we built, and its build. */
export interface SourceToolchain extends Toolchain {
  readonly stage1: Stage1;
}

/**
 * For static archives. libffi's callbacks are linked if there is libffi: foreign-calls.c refers to them weakly. What archives define
 * (OpenSSL, libffi, expat) is not exported: a shared library that is linked with a library of its own must not call ours instead.
 */
const ARCHIVE_FLAGS = ['-Wl,-u,ffi_closure_alloc', '-Wl,--exclude-libs,ALL'];

export interface SourceHost extends Host<SourceToolchain> {
  readonly places: SourcePlaces;
  readonly tree: SourceTree;
}

/**
 * The two-stage build: CPython as it is, the static code of its modules, and CPython again with that. Fails with
 * SOURCE_TREE, PYTHON_VERSION, and with OUTPUT when the build directory lies in the source tree.
 * @param reproducible whether outputs must not contain build paths (for releases)
 */
export async function sourceHost(
  options: SourceBuildOptions,
  reproducible?: Reproducible,
): Promise<Result<SourceHost>> {
  const tree = await openSourceTree(options.source);
  if (!tree.ok) return tree;
  const layout = await loadLayout(tree.value.version.series);
  if (!layout.ok) return layout;
  const buildDir = resolve(options.buildDir);
  if (`${buildDir}/`.startsWith(`${tree.value.path}/`)) {
    return fail(
      'OUTPUT',
      `the build directory ${buildDir} is inside the source tree, which is never written to`,
      {hint: 'use another --build-dir'},
    );
  }
  const places = sourcePlacesOf(buildDir);
  return ok({
    kind: options.forSnapshot === true ? 'snapshot' : 'source',
    places,
    tree: tree.value,
    async prepare(site) {
      if (reproducible && !site.context.dryRun) {
        const linked = await linkSource(tree.value, places);
        if (!linked.ok) return linked;
      }
      const stage1 = await buildStage1(tree.value, options, places, site, reproducible);
      return stage1.ok ? ok(toolchainOf(stage1.value, tree.value, layout.value, places, site)) : stage1;
    },
    async link(objects, plan, toolchain, site): Promise<Result<LinkedImages>> {
      const {stage1, interpreter, layout} = toolchain;
      const {flags, ...region} = regionLink(layout.wrapped, options.forSnapshot);
      const environment = reproducible ? reproducibleEnvironment(site.environment) : site.environment;
      const check = imageCheck(objects, plan, toolchain, site);
      const {debugInfo} = options;
      const own = options.forSnapshot === true ? [...flags, ...ARCHIVE_FLAGS] : flags;
      const request = {stage1, interpreter, ...region, flags: own, check, debugInfo, places};
      const linked = await linkStage2(objects, request, {...site, environment});
      if (!linked.ok) return linked;
      const {executable, images} = linked.value;
      if (site.context.dryRun) {
        const predicted = await predictOutput(options.out, executable.path);
        return ok({...predicted, sha256: executable.digest, images: images.path});
      }
      const placed = await placeOutput(options.out, executable.path);
      return placed.ok ? ok({output: placed.value, sha256: executable.digest, images: images.path}) : placed;
    },
  });
}

function toolchainOf(
  stage1: Stage1,
  tree: SourceTree,
  layout: Layout,
  places: SourcePlaces,
  site: Site,
): SourceToolchain {
  const {target, variables, compiler, inputs} = stage1;
  const toolchain = toolchainOfBuild({
    source: tree.path,
    folder: places.cpython,
    target,
    interpreter: {
      python: stage1.python.path,
      environment: runEnvironment(target, places, site.environment),
      signal: site.context.signal,
    },
    inputs,
    layout,
    addressModel: hasFixedAddresses(stage1) ? 'absolute' : 'position-independent',
    variables,
    compiler,
  });
  return {...toolchain, stage1};
}

/** Whether static data can hold pointers: not in a library, nor in an executable that the compiler may make a PIE. */
function hasFixedAddresses(stage1: Stage1): boolean {
  return !stage1.target.shared && shellWords(executableFlags(stage1)).includes('-no-pie');
}
