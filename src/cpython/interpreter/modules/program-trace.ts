import {writeFile} from 'node:fs/promises';
import {dirname, join, resolve} from 'node:path';
import {z} from 'zod';
import {withTemporaryFolder} from '../../../fs/temporary-folder.js';
import {readFile, realpath} from '../../../fs/recorded-fs.js';
import {type EndedProcess, type Ending, runToAnyEnd} from '../../../exec/process.js';
import {fail, ok, type Result} from '../../../model/result.js';
import {parsePythonCommand, type PythonCommand} from '../python-command.js';
import {moduleRecord, type ModuleRecord} from './modules.js';
import {parseJson, type Interpreter} from '../run-script.js';
import {scriptPath} from '../scripts.js';

export interface TraceRequest extends Interpreter {
  /** What follows the interpreter on its command line: `['-m', 'json.tool', 'x.json']`, `['/usr/bin/hg', 'version']`. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The PYTHONHASHSEED that the program and its children see; undefined: none. The interpreter itself has that of `environment`. */
  readonly hashSeed?: string | undefined;
  /** How long the program may run, in milliseconds: 60 s if not given. */
  readonly timeoutMs?: number;
}

export interface Trace {
  /** What was loaded when the program began, then what it imported, each once, in the order in which the imports began; last, modules whose import failed. */
  readonly modules: readonly ModuleRecord[];
  /** What it compiled at run time, by kind (src/pipeline/prepared), each once, in order. */
  readonly compiled: Readonly<Record<string, readonly unknown[]>>;
  /** The environment variables that it read, set or not; null stands for all of them. */
  readonly variables: readonly (string | null)[];
  /** How the program ended. It is not checked: many programs exit with another code than 0 on purpose. */
  readonly ending: Ending;
  /** Whether all was recorded until the program ended; not so when it was killed. */
  readonly isComplete: boolean;
  /** The end of its stderr. */
  readonly stderr: string;
  /** The end of its stdout. */
  readonly stdout: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const LAST_CHARACTERS = 4000;

/** The lines that trace_imports.py writes. */
const lineSchema = z.union([
  z.strictObject({module: moduleRecord}),
  z.strictObject({expression: z.unknown()}),
  z.strictObject({snippet: z.unknown()}),
  z.strictObject({variable: z.string().nullable()}),
  z.strictObject({begun: z.array(z.string())}),
  z.strictObject({end: z.literal(true)}),
]);

/**
 * Executes the tracer in a namespace of its own. It leaves no name in `__main__`, imports nothing, and leaves no file
 * open (the warning about that would leave a mark in `__main__`).
 */
const BOOTSTRAP = [
  'exec(compile(',
  '__import__("_frozen_importlib_external").FileLoader("",__import__("sys").argv[1]).get_data(__import__("sys").argv[1])',
  ',"<frozen importlib._bootstrap>","exec"),{})',
].join('');

/**
 * Runs a program and reports the regular expressions and the source text that it compiles, the environment variables that it reads through `os.environ`, and the modules that it imports,
 * those included that it deletes again from `sys.modules`, or imports while it ends. Modules that only its child processes import are not seen.
 * Of a program that is killed, or stopped because it does not end in time, it reports what happened until then.
 *
 * Fails with USAGE when the command line names no program, and with DISCOVER when the program is not there, or the interpreter does not
 * start. `python` itself must have been described before, so it is known to run.
 */
export async function traceImports(request: TraceRequest): Promise<Result<Trace>> {
  const command = parsePythonCommand(request.argv);
  if (!command.ok) return command;
  return withTemporaryFolder('trace', (folder) => traceInto(join(folder, 'trace'), request, command.value));
}

async function traceInto(out: string, request: TraceRequest, command: PythonCommand): Promise<Result<Trace>> {
  const tracer = await tracerArguments(out, request, command);
  if (!tracer.ok) return tracer;
  const words = ['python', ...request.argv].join(' ');
  // The tracer only appends: a file that it did not make would belong to the user that the program has become.
  await writeFile(out, '', {mode: 0o600});
  const run = await runToAnyEnd({
    file: request.python,
    // Only this interpreter writes no bytecode; what the program starts does as it always does.
    args: ['-B', ...command.options, ...tracer.value],
    cwd: request.cwd,
    environment: request.environment,
    signal: request.signal,
    timeoutMs: request.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  if (!run.ok) {
    if (run.failure.code === 'INTERRUPTED') return run;
    return fail('DISCOVER', `cannot trace "${words}": ${run.failure.message}`, run.failure);
  }
  return readTrace(words, await readFile(out, 'utf8'), run.value);
}

function readTrace(words: string, text: string, {ending, stdout, stderr}: EndedProcess): Result<Trace> {
  const modules: ModuleRecord[] = [];
  const begun: string[] = [];
  const expressions: unknown[] = [];
  const snippets: unknown[] = [];
  const variables: (string | null)[] = [];
  let isComplete = false;
  for (const line of text.split('\n')) {
    const read = lineSchema.safeParse(parseJson(line));
    if (!read.success) continue; // the last line of a program that was killed while it was written
    if ('module' in read.data) modules.push(read.data.module);
    else if ('begun' in read.data) begun.push(...read.data.begun);
    else if ('expression' in read.data) expressions.push(read.data.expression);
    else if ('snippet' in read.data) snippets.push(read.data.snippet);
    else if ('variable' in read.data) variables.push(read.data.variable);
    else isComplete = true;
  }
  if (modules.length === 0) {
    return fail('DISCOVER', `"${words}" ${endingText(ending)} before its imports were recorded`, {
      details: stderr.slice(-LAST_CHARACTERS),
    });
  }
  return ok({
    ...{modules: inOrder(modules, begun), compiled: {expressions, snippets}, variables, ending, isComplete},
    stderr: stderr.slice(-LAST_CHARACTERS),
    stdout: stdout.slice(-LAST_CHARACTERS),
  });
}

/** The modules in whose place nothing is known stay there; the others, which ended in this order, change places so that they begin in theirs. */
function inOrder(ended: readonly ModuleRecord[], begun: readonly string[]): readonly ModuleRecord[] {
  const ranks = new Map(begun.map((name, i) => [name, i]));
  const rankOf = ({name}: ModuleRecord): number => ranks.get(name) ?? -1;
  const ranked = ended.filter((each) => rankOf(each) >= 0).sort((a, b) => rankOf(a) - rankOf(b));
  return ended.map((each) => (rankOf(each) < 0 ? each : (ranked.shift() ?? each)));
}

/** How a process ended, as the predicate of a sentence. */
export function endingText(ending: Ending): string {
  if (ending.kind === 'exit') return `ended with exit code ${ending.code}`;
  if (ending.kind === 'signal') return `was killed by ${ending.signal}`;
  return `did not end within ${ending.seconds} s and was stopped`;
}

async function tracerArguments(
  out: string,
  {cwd, hashSeed}: Pick<TraceRequest, 'cwd' | 'hashSeed'>,
  {program, arguments: rest}: PythonCommand,
): Promise<Result<readonly string[]>> {
  const tracer = scriptPath('trace_imports.py');
  const seed = hashSeed === undefined ? '' : `=${hashSeed}`;
  if (program.kind === 'code') return ok(['-c', BOOTSTRAP, tracer, out, seed, 'code', program.text, ...rest]);
  if (program.kind === 'module') return ok([tracer, out, seed, 'module', program.name, ...rest]);
  // `__file__` is absolute, sys.path[0] the directory in which the script really lies (Python/pathconfig.c).
  const absolute = resolve(cwd, program.path);
  const real = await realpath(absolute).catch(() => undefined);
  if (real === undefined) return fail('DISCOVER', `cannot trace ${absolute}: no such file`);
  return ok([tracer, out, seed, 'script', program.path, absolute, dirname(real), ...rest]);
}
