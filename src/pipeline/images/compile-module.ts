import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {
  type CompileProblem,
  type WorkerStart,
  type Workers,
  compileFailure,
  workerStart,
} from '../../cpython/interpreter/worker.js';
import {exactStatSync, isFileSync} from '../../fs/recorded-fs.js';
import {currentRecording} from '../../fs/recording.js';
import {isUtf8Path} from '../../fs/utf8-path.js';
import type {Artifact} from '../../model/action.js';
import type {Failure} from '../../model/failure.js';
import {type Result, err, fail, ok} from '../../model/result.js';
import type {ModulePlan} from '../modules/module-plan.js';
import {encodeProblem, readProblem, unknownEncoding} from './compile-problem.js';
import {isPrivateSource} from '../modules/private-sources.js';
import {imageFileName} from './image-files.js';
import type {Tools} from './image-tools.js';
import {output} from '../action-output.js';

/** Bytes. No code unit of a larger source fits into an image, and a sparse file can seem to have more than this machine has memory. */
const LARGEST_SOURCE = 1n << 28n;

/** What compiling a module gives. */
export type Compilation = CompiledModule | UncompiledModule;

export interface CompiledModule {
  readonly kind: 'unit';
  readonly unit: Artifact;
  /** The names that the module imports. */
  readonly imports: Artifact;
}

/** Python does not compile it, or its source cannot be read: an import of it fails, too. */
export interface UncompiledModule {
  readonly kind: 'problem';
  readonly problem: CompileProblem;
}

/**
 * `compile:<module>`: compiles the source to a code unit. Fails with COMPILE or IO when a module has a problem that is required.
 * @param nth counts the files that the module has in this build: an action is declared once, so each further one has its own
 */
export async function compileModule(plan: ModulePlan, tools: Tools, nth = 1): Promise<Result<Compilation>> {
  const source = await digestSource(plan, tools);
  if (!source.ok) return withoutSource(plan, source.failure);
  // No module name has a slash, so this is no other module's action.
  const suffix = nth === 1 ? '' : `/${nth}`;
  const compiled = await attempt(plan, tools, {
    source: source.value,
    suffix,
    codec: [],
    start: workerStart(false),
    compile: tools.workers.compile,
    isLast: (problem) => unknownEncoding(problem) === undefined,
  });
  if (!compiled.ok) {
    // It was there a moment ago.
    currentRecording()?.addGap('a source cannot be read');
    return withoutSource(plan, compiled.failure);
  }
  if (compiled.value.kind === 'unit') return ok(compiled.value);
  const encoding = unknownEncoding(compiled.value.problem);
  if (encoding === undefined) return judge(plan, compiled.value);
  const codec = await tools.siteCompiler.inputsFor(encoding);
  if (!codec.ok && codec.failure.code === 'INTERRUPTED') return codec;
  // A `site` that ends the interpreter is reported by whoever needs it.
  if (!codec.ok || codec.value.length === 0) return judge(plan, compiled.value);
  const again = await attempt(plan, tools, {
    source: source.value,
    suffix: `${suffix}/site`,
    codec: codec.value,
    start: workerStart(true),
    compile: tools.siteCompiler.compile,
    isLast: () => true,
  });
  return again.ok ? judge(plan, again.value) : again;
}

/** A module whose source cannot be read is left out, like one that does not compile. No cached result says so, as the source does not. */
function withoutSource({isRequired}: ModulePlan, failure: Failure): Result<Compilation> {
  if (isRequired || failure.code !== 'IO') return err(failure);
  return ok({kind: 'problem', problem: {type: 'OSError', text: failure.message}});
}

/** Fails with IO, also for what is not a file: it could keep its reader waiting for ever. */
async function digestSource(
  {source, sourceName, isCPythonFrozen}: ModulePlan,
  {engine, toolchain: {target}}: Tools,
): Promise<Result<Artifact>> {
  if (!isUtf8Path(source)) return fail('IO', `cannot read ${source}: its path is not UTF-8`);
  if (!isFileSync(source)) return fail('IO', `cannot read ${source}: there is no such file`);
  const size = exactStatSync(source)?.size ?? 0n;
  if (size > LARGEST_SOURCE) {
    return fail('IO', `cannot read ${source}: it has ${size} bytes, and a source at most ${LARGEST_SOURCE}`);
  }
  const digested = await engine.source(sourceName, source);
  return digested.ok && isPrivateSource({source, isCPythonFrozen}, target)
    ? ok({...digested.value, secrecy: 'private'})
    : digested;
}

interface Attempt {
  readonly source: Artifact;
  /** What tells its action and its files from those of other attempts. */
  readonly suffix: string;
  /** What decides how the source is decoded, besides the interpreter. */
  readonly codec: readonly Artifact[];
  /** How the workers behind `compile` are started. */
  readonly start: WorkerStart;
  readonly compile: Workers['compile'];
  /** Whether no other attempt can do better. */
  readonly isLast: (problem: CompileProblem) => boolean;
}

async function attempt(
  plan: ModulePlan,
  {engine, places, compileTools}: Tools,
  {source, suffix, codec, start, compile, isLast}: Attempt,
): Promise<Result<Compilation>> {
  const base = join(`${places.images}${suffix}`, imageFileName(plan.module));
  const action = await engine.run({
    id: `compile:${plan.module}${suffix}`,
    tools: compileTools,
    arguments: {filename: plan.filename, optimize: 0, flags: start.flags, variables: start.variables},
    environment: {},
    inputs: [source, ...codec],
    outputs: [
      {name: 'unit', path: `${base}.unit`},
      {name: 'imports', path: `${base}.imports`},
    ],
    storage: 'shared',
    isOptional: !plan.isRequired,
    async execute({outputs: {unit = '', imports = ''}}) {
      const done = await compile({
        source: plan.source,
        filename: plan.filename,
        optimize: 0,
        output: unit,
        importsOutput: imports,
      });
      if (!done.ok) return done;
      const problem = done.value;
      if (problem === undefined) return ok();
      if (plan.isRequired && isLast(problem)) return err(compileFailure(plan.source, problem));
      const files = encodeProblem(problem, plan.source);
      await Promise.all([writeFile(unit, files.unit), writeFile(imports, files.imports)]);
      return ok();
    },
  });
  if (!action.ok) return action;
  const [unit, imports] = [output(action.value, 'unit'), output(action.value, 'imports')];
  const problem = await readProblem(unit, imports, plan.source);
  return ok(problem === undefined ? {kind: 'unit', unit, imports} : {kind: 'problem', problem});
}

/** A problem of a required module is a failure, also one that an earlier build left in the cache. */
function judge({isRequired, source}: ModulePlan, compilation: Compilation): Result<Compilation> {
  if (compilation.kind === 'unit' || !isRequired) return ok(compilation);
  return err(compileFailure(source, compilation.problem));
}
