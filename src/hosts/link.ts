import {readdir, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {generateIndex} from '../codegen/index-table.js';
import type {Layout} from '../codegen/layout.js';
import type {Engine} from '../engine/engine.js';
import {runProcess} from '../exec/process.js';
import type {Artifact, ToolIdentity} from '../model/action.js';
import {canonicalJson, type Json} from '../model/json.js';
import {type Result, fail, ok} from '../model/result.js';
import type {CCompiler} from './c-compiler.js';
import {output} from './images.js';
import type {FreezePlan} from './module-plan.js';
import {RUNTIME_FOLDER, packageVersion} from './package-files.js';
import type {Places} from './places.js';
import type {Stage1} from './stage1.js';

export interface LinkTools {
  readonly engine: Engine;
  readonly places: Places;
  readonly layout: Layout;
  readonly layoutHeader: Artifact;
  readonly headers: readonly Artifact[];
  readonly generator: ToolIdentity;
  readonly compiler: CCompiler;
  readonly stage1: Stage1;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** `cc:_flashfreeze.<file>`: the runtime's own C. */
export async function buildRuntime(tools: LinkTools): Promise<Result<readonly Artifact[]>> {
  const {engine, places, compiler} = tools;
  const names = (await readdir(RUNTIME_FOLDER)).filter((name) => name.endsWith('.c')).sort();
  const objects = await Promise.all(
    names.map(async (name): Promise<Result<Artifact>> => {
      const source = await engine.source(`runtime/${name}`, join(RUNTIME_FOLDER, name));
      if (!source.ok) return source;
      const base = name.slice(0, -'.c'.length);
      const compiled = await engine.run(
        compiler.action({
          target: `_flashfreeze.${base}`,
          source: source.value,
          headers: tools.headers,
          kind: 'code',
          output: {name: 'o', path: join(places.work, `${base}.o`)},
        }),
      );
      return compiled.ok ? ok(output(compiled.value, 'o')) : compiled;
    }),
  );
  return collect(objects);
}

/** `index:python`, `cc:_flashfreeze.index`: the tables through which the runtime finds images. */
export async function buildIndex(plan: FreezePlan, tools: LinkTools): Promise<Result<Artifact>> {
  const {engine, places, layout, compiler} = tools;
  const build: Json = {
    flashfreeze: packageVersion(),
    python: tools.stage1.target.version.text,
    host: 'source',
  };
  const tables = {frozenRows: plan.frozenRows, sources: plan.sources, roots: plan.roots};
  const generated = await engine.run({
    id: 'index:python',
    tools: [tools.generator],
    arguments: {...(tables as unknown as Record<string, Json>), build},
    environment: {},
    inputs: [tools.layoutHeader],
    outputs: [{name: 'c', path: join(places.work, 'index.c')}],
    storage: 'shared',
    async execute({outputs}) {
      const text = generateIndex({...tables, layout, hasGetpath: true, buildInfo: canonicalJson(build)});
      await writeFile(outputs['c'] ?? '', text);
      return ok();
    },
  });
  if (!generated.ok) return generated;
  const compiled = await engine.run(
    compiler.action({
      target: '_flashfreeze.index',
      source: output(generated.value, 'c'),
      headers: tools.headers,
      kind: 'data',
      output: {name: 'o', path: join(places.work, 'index.o')},
    }),
  );
  return compiled.ok ? ok(output(compiled.value, 'o')) : compiled;
}

/** `link:python`: stage 1's objects and ours become the new interpreter, which has to prove that it uses them. */
export async function linkInterpreter(
  objects: readonly Artifact[],
  tools: LinkTools,
): Promise<Result<Artifact>> {
  const {engine, places, layout, stage1} = tools;
  const {LINKCC, PY_CORE_LDFLAGS, LINKFORSHARED, LINK_PYTHON_OBJS, LIBS, MODLIBS, SYSLIBS} = stage1.variables;
  const wraps = layout.wrapped.map((name) => `-Wl,--wrap=${name}`).join(' ');
  const flags = `${PY_CORE_LDFLAGS} ${LINKFORSHARED} ${wraps}`;
  const linked = await engine.run({
    id: 'link:python',
    tools: [stage1.compiler, {name: 'stage 1', digest: stage1.python.digest}],
    arguments: {command: LINKCC, flags, libraries: `${LIBS} ${MODLIBS} ${SYSLIBS}`, objects: objects.length},
    environment: {},
    inputs: objects,
    outputs: [{name: 'python', path: places.stage2, executable: true}],
    storage: 'in-place',
    async execute({log}) {
      // The old interpreter may be running: it is replaced by renaming, never written to.
      const fresh = `${places.stage2}.new`;
      const list = join(places.work, 'objects.txt');
      await writeFile(list, objects.map(({path}) => `"${path.replaceAll(/["\\]/g, '\\$&')}"\n`).join(''));
      const command = `${LINKCC} ${flags} -o "$0" Programs/python.o "@$1" ${LINK_PYTHON_OBJS} ${LIBS} ${MODLIBS} ${SYSLIBS}`;
      const done = await runProcess({
        file: 'sh',
        args: ['-c', command, fresh, list],
        cwd: places.cpython,
        environment: tools.environment,
        signal: tools.signal,
      });
      if (!done.ok) return done;
      if (done.value.exitCode !== 0) {
        await rm(fresh, {force: true});
        return fail('LINK', 'The linker could not link the new interpreter.', {details: done.value.stderr});
      }
      if (done.value.stderr !== '') log(done.value.stderr);
      const checked = await smokeTest(fresh, tools);
      if (!checked.ok) await rm(fresh, {force: true});
      else await rename(fresh, places.stage2);
      return checked;
    },
  });
  return linked.ok ? ok(output(linked.value, 'python')) : linked;
}

/** A linker that ignored --wrap gives an interpreter that works, and uses none of its images: count what is used. */
async function smokeTest(python: string, tools: LinkTools): Promise<Result<void>> {
  const run = await runProcess({
    file: python,
    args: [
      '-I',
      '-B',
      '-c',
      'import _flashfreeze as f; i = f.info(); print(i["used"], i["inactive_because"])',
    ],
    cwd: tools.places.cpython,
    environment: tools.environment,
    signal: tools.signal,
    timeoutMs: 60_000,
  });
  if (!run.ok) return run;
  const {exitCode, stdout, stderr} = run.value;
  if (exitCode !== 0) {
    return fail('SMOKE', `The new interpreter does not start (exit code ${exitCode}).`, {details: stderr});
  }
  const [used, ...reason] = stdout.trim().split(' ');
  if (Number(used) > 0) return ok();
  return fail('SMOKE', `The new interpreter uses none of its images: ${reason.join(' ')}.`);
}

/** All values, or the first failure. */
export function collect<T>(results: readonly Result<T>[]): Result<readonly T[]> {
  const values: T[] = [];
  for (const result of results) {
    if (!result.ok) return result;
    values.push(result.value);
  }
  return ok(values);
}
