import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import type {Layout} from '../codegen/layout.js';
import {objectFlags, words} from '../cpython/compile-flags.js';
import {headerFolders} from '../cpython/headers.js';
import {openSourceTree, type SourceTree} from '../cpython/source-tree.js';
import type {Artifact} from '../model/action.js';
import {type Result, fail, ok} from '../model/result.js';
import type {Host, Linked, Site} from './host.js';
import {loadLayout} from './layouts.js';
import {link, wrapFlags} from './link.js';
import type {SourceBuildOptions} from './options.js';
import {placeOutput} from './place-output.js';
import {type SourcePlaces, sourcePlacesOf} from './places.js';
import {usesImages} from './smoke.js';
import {type Stage1, buildStage1} from './stage1.js';
import type {FrozenModule, Toolchain} from './toolchain.js';

/** The toolchain of a CPython that we built, and its build. */
export interface SourceToolchain extends Toolchain {
  readonly stage1: Stage1;
}

/**
 * The two-stage build: CPython as it is, the static code of its modules, and CPython again with that. Fails with
 * SOURCE_TREE, PYTHON_VERSION, and with OUTPUT when the build folder lies in the source tree.
 */
export async function sourceHost(options: SourceBuildOptions): Promise<Result<Host<SourceToolchain>>> {
  const tree = await openSourceTree(options.source);
  if (!tree.ok) return tree;
  const layout = await loadLayout(tree.value.version.series);
  if (!layout.ok) return layout;
  const buildDir = resolve(options.buildDir);
  if (`${buildDir}/`.startsWith(`${tree.value.path}/`)) {
    return fail(
      'OUTPUT',
      `The build folder ${buildDir} lies inside the source tree, which is never written to.`,
      {hint: 'give a --build-dir elsewhere'},
    );
  }
  const places = sourcePlacesOf(buildDir);
  return ok({
    kind: 'source',
    places,
    async prepare(site) {
      const stage1 = await buildStage1(tree.value, options, places, site);
      return stage1.ok ? ok(toolchainOf(stage1.value, tree.value, layout.value, places, site)) : stage1;
    },
    link: (objects, _plan, toolchain, site) => linkStage2(objects, toolchain, options.out, places, site),
  });
}

function toolchainOf(
  stage1: Stage1,
  tree: SourceTree,
  layout: Layout,
  places: SourcePlaces,
  site: Site,
): SourceToolchain {
  const {target, variables, compiler, headers} = stage1;
  const inTree = (path: string): string => join(tree.path, path);
  const getpath = {
    source: {path: inTree('Modules/getpath.py'), name: 'source/Modules/getpath.py'},
    header: join(places.cpython, 'Python/frozen_modules/getpath.h'),
  };
  const frozenModules = target.frozen.map(({name, origin, source}): FrozenModule => {
    const [folder, label] = source.root === 'stdlib' ? [target.stdlib, 'Lib'] : [tree.path, 'source'];
    return {name, origin, source: {path: join(folder, source.path), name: `${label}/${source.path}`}};
  });
  const globalStrings = inTree('Include/internal/pycore_global_strings.h');
  return {
    stage1,
    target,
    interpreter: {python: stage1.python.path, environment: site.environment, signal: site.context.signal},
    identity: stage1.identity,
    layout,
    // Only such a link was asked for by somebody else's LINKFORSHARED or LDFLAGS.
    addressModel: words(linkWords(stage1)).includes('-no-pie') ? 'absolute' : 'position-independent',
    cc: {
      command: variables.CC,
      flags: objectFlags(variables.PY_CORE_CFLAGS),
      includes: [
        ...headerFolders(inTree('Include'), '$SOURCE/Include'),
        {path: places.cpython, label: '$BUILD'},
      ],
      compiler,
      headers,
    },
    globalStringsHeader: existsSync(globalStrings) ? globalStrings : undefined,
    frozenModules,
    getpath: existsSync(getpath.source.path) ? getpath : undefined,
  };
}

function linkWords({variables}: Stage1): string {
  return `${variables.PY_CORE_LDFLAGS} ${variables.LINKFORSHARED}`;
}

/** `link:python`: stage 1's objects and ours become the new interpreter. */
async function linkStage2(
  objects: readonly Artifact[],
  {stage1, layout, interpreter}: SourceToolchain,
  out: string | undefined,
  places: SourcePlaces,
  site: Site,
): Promise<Result<Linked>> {
  const {LINKCC, LINK_PYTHON_OBJS, LIBS, MODLIBS, SYSLIBS} = stage1.variables;
  const linked = await link(
    {
      id: 'link:python',
      tools: [stage1.compiler, {name: 'stage 1', digest: stage1.python.digest}],
      command: `${LINKCC} ${linkWords(stage1)} ${wrapFlags(layout.wrapped)}`,
      parts: ['Programs/python.o', ...objects, ...words(LINK_PYTHON_OBJS)],
      libraries: `${LIBS} ${MODLIBS} ${SYSLIBS}`,
      out: places.stage2,
      cwd: places.cpython,
      check: (python) => usesImages({...interpreter, python}),
    },
    places,
    site,
  );
  if (!linked.ok) return linked;
  const placed = await placeOutput(out, places.stage2, site.context.dryRun);
  return placed.ok ? ok({output: placed.value, sha256: linked.value.digest}) : placed;
}
