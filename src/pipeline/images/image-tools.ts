import {join} from 'node:path';
import {GENERATOR_DIGEST} from '../../codegen/generator-identity.js';
import {readFile} from '../../fs/recorded-fs.js';
import {parseWellKnownStrings} from '../../codegen/objects/well-known.js';
import {scriptFiles} from '../../cpython/interpreter/scripts.js';
import {type Workers, startWorkers} from '../../cpython/interpreter/worker.js';
import type {Engine} from '../../engine/engine.js';
import type {Artifact, ToolIdentity} from '../../model/action.js';
import {type Result, ok} from '../../model/result.js';
import {type CCompiler, createCCompiler} from '../compile/c-compiler.js';
import type {Site} from '../host.js';
import {LAYOUTS_FOLDER, RUNTIME_FOLDER} from '../../fs/package-files.js';
import type {Places} from '../build-places.js';
import {lookUpEnvironment} from '../modules/program-environment.js';
import type {Toolchain} from '../toolchain.js';
import {type TargetLayout, findTargetLayout} from './target-layout.js';
import {type SiteCompiler, createSiteCompiler} from './site-compiler.js';

/** The tools that the actions of all modules share. */
export interface Tools {
  readonly engine: Engine;
  readonly places: Places;
  readonly toolchain: Toolchain;
  readonly layoutHeader: Artifact;
  /** How images look in the target. Fails with LAYOUT and CC. */
  readonly targetLayout: () => Promise<Result<TargetLayout>>;
  /** The bytes of getpath that are compiled into the interpreter, if it gets an image. */
  readonly getpathHeaders: readonly Artifact[];
  readonly workers: Workers;
  readonly siteCompiler: SiteCompiler;
  /** The interpreter and the script that compile modules. */
  readonly compileTools: readonly ToolIdentity[];
  readonly generator: ToolIdentity;
  /** Whether images are written as assembler text, too. */
  readonly assembler: boolean;
  readonly compiler: CCompiler;
}

/** Ends the processes that compile modules. */
export async function stopTools({workers, siteCompiler}: Tools): Promise<void> {
  await Promise.all([workers.stop(), siteCompiler.stop()]);
}

/** Fails with IO when a file of the package or of the target cannot be read. Stop the tools when done. */
export async function prepareTools(
  toolchain: Toolchain,
  places: Places,
  {engine, context}: Site,
): Promise<Result<Tools>> {
  const {layout, interpreter, globalStringsHeader, getpath} = toolchain;
  const [layoutHeader, worker] = await Promise.all([
    engine.source(`layouts/${layout.header}`, join(LAYOUTS_FOLDER, layout.header)),
    engine.sources(scriptFiles('compile_modules.py')),
  ]);
  if (!layoutHeader.ok) return layoutHeader;
  if (!worker.ok) return worker;
  const shared = await engine.sources([
    {name: 'layouts/common.h', path: join(LAYOUTS_FOLDER, 'common.h')},
    {name: 'runtime/flashfreeze.h', path: join(RUNTIME_FOLDER, 'flashfreeze.h')},
  ]);
  if (!shared.ok) return shared;
  const rooms = await engine.sources([
    {name: 'runtime/import.h', path: join(RUNTIME_FOLDER, 'import', 'import.h')},
    {name: 'runtime/restore.h', path: join(RUNTIME_FOLDER, 'snapshot', 'restore.h')},
    {name: 'runtime/versions.h', path: join(RUNTIME_FOLDER, 'snapshot', 'versions.h')},
  ]);
  if (!rooms.ok) return rooms;
  const headers = [layoutHeader.value, ...shared.value];
  const wellKnownHeaders = await optional(engine, 'pycore_global_strings.h', globalStringsHeader);
  if (!wellKnownHeaders.ok) return wellKnownHeaders;
  const getpathHeaders = await optional(engine, 'getpath.h', getpath?.header);
  if (!getpathHeaders.ok) return getpathHeaders;
  const strings = wellKnownHeaders.value[0];
  const {repetition, userEnvironment} = context;
  const asUser = lookUpEnvironment(interpreter, userEnvironment);
  const count = context.jobs.width;
  const workers =
    (await repetition?.workers.of(interpreter, toolchain.identity.digest, count)) ??
    startWorkers({...interpreter, count});
  const generator = {name: 'generator', digest: GENERATOR_DIGEST};
  const compiler = createCCompiler(toolchain, {data: headers, code: [...headers, ...rooms.value]}, places);
  const layoutInputs = {
    ...{engine, places, toolchain, compiler, generator},
    layoutHeader: layoutHeader.value,
    wellKnownHeaders: wellKnownHeaders.value,
    wellKnown:
      strings === undefined
        ? new Map<string, string>()
        : parseWellKnownStrings(await readFile(strings.path, 'utf8')),
  };
  let found: Promise<Result<TargetLayout>> | undefined;
  return ok({
    ...{engine, places, toolchain, compiler, generator, workers},
    assembler: context.assembler ?? false,
    layoutHeader: layoutHeader.value,
    targetLayout: () => (found ??= findTargetLayout(layoutInputs)),
    getpathHeaders: getpathHeaders.value,
    siteCompiler: createSiteCompiler({...interpreter, environment: asUser}, count, engine),
    compileTools: [toolchain.identity, ...worker.value.map(({name, digest}) => ({name, digest}))],
  });
}

/** One artifact, or none. */
function optional(
  engine: Engine,
  name: string,
  path: string | undefined,
): Promise<Result<readonly Artifact[]>> {
  return engine.sources(path === undefined ? [] : [{name, path}]);
}
