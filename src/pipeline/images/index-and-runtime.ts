import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {readdir} from '../../fs/recorded-fs.js';
import {generateBuildRecord} from '../../codegen/tables/build-record.js';
import {generateIndex} from '../../codegen/tables/index-table.js';
import type {Artifact} from '../../model/action.js';
import {canonicalJson, type Json} from '../../model/canonical-json.js';
import {collectResults, type Result, ok} from '../../model/result.js';
import {type Prepared, preparedTables} from '../prepared/all-preparations.js';
import type {HostKind} from '../host.js';
import {output} from '../action-output.js';
import type {FreezePlan} from '../modules/module-plan.js';
import {RUNTIME_FOLDER, packageVersion} from '../../fs/package-files.js';
import type {Tools} from './image-tools.js';

/** The directories of the part of the runtime that all hosts have. */
const SHARED_PARTS = ['', 'import', 'prepared', 'sources'];

/** The host's own parts of the runtime: how it gets into the process. */
const OWN_PARTS: Readonly<Record<HostKind, readonly string[]>> = {
  source: ['linked'],
  snapshot: ['linked', 'snapshot'],
  make: ['linked'],
  relink: ['linked'],
  graft: ['graft'],
  transplant: ['graft', 'snapshot', 'transplant'],
  overlay: ['overlay'],
};

/** The directories below src/runtime whose C a host's interpreter has. BUILD.bazel has the same. */
export function runtimePartsOf(host: HostKind): readonly string[] {
  return [...SHARED_PARTS, ...OWN_PARTS[host]];
}

/** `cc:_flashfreeze.<file>`: the runtime's C, both the part of all hosts and the host's own part. */
export async function buildRuntime(host: HostKind, tools: Tools): Promise<Result<readonly Artifact[]>> {
  const {engine, places, compiler} = tools;
  const names = (await Promise.all(runtimePartsOf(host).map(filesOfC))).flat();
  const objects = await Promise.all(
    names.map(async (name): Promise<Result<Artifact>> => {
      const source = await engine.source(`runtime/${name}`, join(RUNTIME_FOLDER, name));
      if (!source.ok) return source;
      const base = name.slice(name.lastIndexOf('/') + 1, -'.c'.length);
      const action = compiler.action({
        target: `_flashfreeze.${base}`,
        source: source.value,
        kind: 'code',
        output: {name: 'o', path: join(places.work, `${base}.o`)},
      });
      const compiled = await engine.run({...action, turn: 'late'});
      return compiled.ok ? ok(output(compiled.value, 'o')) : compiled;
    }),
  );
  return collectResults(objects);
}

async function filesOfC(folder: string): Promise<string[]> {
  const names = (await readdir(join(RUNTIME_FOLDER, folder))).filter((name) => name.endsWith('.c')).sort();
  return names.map((name) => (folder === '' ? name : `${folder}/${name}`));
}

/**
 * The inputs and tools of images, except their sources (whose digests `_flashfreeze.modules()` has), for
 * `_flashfreeze.info()`. It contains no time and no local path, so that a rebuild gives the same bytes.
 */
function manifestOf(host: HostKind, {toolchain: {target, identity, cc, layout}, generator}: Tools): Json {
  return {
    flashfreeze: packageVersion(),
    python: target.version.text,
    // Make also builds from source, and gives the same bytes.
    host: host === 'make' ? 'source' : host,
    generator: generator.digest,
    interpreter: identity.digest,
    compiler: {name: cc.compiler.name, digest: cc.compiler.digest},
    headers: cc.headers.digest,
    layout: layout.header,
  };
}

/**
 * `index:python`, `cc:_flashfreeze.index`: the tables through which the runtime finds images.
 * @param prepared the tables of expressions and snippets
 */
export async function buildIndex(
  host: HostKind,
  plan: FreezePlan,
  prepared: Prepared,
  tools: Tools,
): Promise<Result<Artifact>> {
  const {engine, places, toolchain} = tools;
  const {layout, target} = toolchain;
  const tables = {
    frozenRows: plan.frozenRows,
    sources: plan.sources,
    roots: plan.roots,
    frozenFirst: plan.frozenFirst,
    restsCollector: plan.restsCollector,
    exitsFast: plan.exitsFast,
    hasGetpath: toolchain.getpath !== undefined,
    hasStamps: true,
    // Images that are linked into an interpreter cannot be used by another one.
    ...(['overlay', 'graft', 'transplant'].includes(host) ? {targetVersion: target.sysVersion} : {}),
    ...(toolchain.programName === undefined ? {} : {programName: toolchain.programName}),
  };
  const generated = await engine.run({
    id: 'index:python',
    tools: [tools.generator],
    arguments: tables as unknown as Record<string, Json>,
    environment: {},
    inputs: [tools.layoutHeader, ...Object.values(prepared).filter((each) => each !== undefined)],
    outputs: [{name: 'c', path: join(places.work, 'index.c')}],
    storage: 'shared',
    async execute({outputs}) {
      const text = generateIndex({
        ...tables,
        layout,
        preparedTables: await preparedTables(prepared),
      });
      await writeFile(outputs['c'] ?? '', text);
      return ok();
    },
  });
  return generated.ok ? compileTable('index', output(generated.value, 'c'), tools) : generated;
}

/** `index:build`, `cc:_flashfreeze.build`: the inputs and tools of the images. */
export async function buildRecord(host: HostKind, tools: Tools): Promise<Result<Artifact>> {
  const record = manifestOf(host, tools);
  const generated = await tools.engine.run({
    id: 'index:build',
    tools: [tools.generator],
    arguments: {record},
    environment: {},
    inputs: [tools.layoutHeader],
    outputs: [{name: 'c', path: join(tools.places.work, 'build.c')}],
    storage: 'shared',
    async execute({outputs}) {
      await writeFile(outputs['c'] ?? '', generateBuildRecord(tools.toolchain.layout, canonicalJson(record)));
      return ok();
    },
  });
  return generated.ok ? compileTable('build', output(generated.value, 'c'), tools) : generated;
}

async function compileTable(
  name: string,
  source: Artifact,
  {engine, places, compiler}: Tools,
): Promise<Result<Artifact>> {
  const target = `_flashfreeze.${name}`;
  const out = {name: 'o', path: join(places.work, `${name}.o`)};
  const compiled = await engine.run(compiler.action({target, source, kind: 'data', output: out}));
  return compiled.ok ? ok(output(compiled.value, 'o')) : compiled;
}
