import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {z} from 'zod';
import {readFile, realpath} from '../../../fs/recorded-fs.js';
import {runProcess} from '../../../exec/process.js';
import {fail, ok, type Result} from '../../../model/result.js';
import {parsePythonCommand, type PythonCommand} from '../python-command.js';
import {moduleRecord, type ModuleRecord} from './modules.js';
import {NO_BYTECODE, parseJson, type Interpreter} from '../run-script.js';
import {scriptPath} from '../scripts.js';

export interface TraceRequest extends Interpreter {
  /** What follows the interpreter on its command line: `['-m', 'json.tool', 'x.json']`, `['/usr/bin/hg', 'version']`. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** How long the program may run, in milliseconds: 60 s if not given. */
  readonly timeoutMs?: number;
}

export interface Trace {
  /** What was loaded when the program began, then what it imported, each once, in order. */
  readonly modules: readonly ModuleRecord[];
  /** What it compiled at run time, by kind (src/pipeline/prepared), each once, in order. */
  readonly compiled: Readonly<Record<string, readonly unknown[]>>;
  /** The exit code of the program. It is not checked: many programs exit with another code than 0 on purpose. */
  readonly exitCode: number;
  /** The end of its stderr. */
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** What trace_imports.py records. */
const notedSchema = z.object({
  modules: z.array(moduleRecord),
  compiled: z.record(z.string(), z.array(z.unknown())),
});

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
 * Runs a program and reports the regular expressions and the source text that it compiles, and the modules that it imports,
 * those included that it deletes again from `sys.modules`, or imports while it ends. Modules that only its child processes import are not seen.
 *
 * Fails with USAGE when the command line names no program, and with DISCOVER when the program does not end in time, is
 * killed, or is not there. `python` itself must have been described before, so it is known to run.
 */
export async function traceImports(request: TraceRequest): Promise<Result<Trace>> {
  const command = parsePythonCommand(request.argv);
  if (!command.ok) return command;
  const folder = await mkdtemp(join(tmpdir(), 'flashfreeze-trace-'));
  try {
    return await traceInto(join(folder, 'modules.json'), request, command.value);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** What a Python imports before it begins with any program: what `-c pass` imports. */
export async function startupModules(interpreter: Interpreter): Promise<Result<readonly ModuleRecord[]>> {
  const trace = await traceImports({...interpreter, argv: ['-c', 'pass'], cwd: '/'});
  return trace.ok ? ok(trace.value.modules) : trace;
}

async function traceInto(out: string, request: TraceRequest, command: PythonCommand): Promise<Result<Trace>> {
  const tracer = await tracerArguments(out, request.cwd, command);
  if (!tracer.ok) return tracer;
  const words = ['python', ...request.argv].join(' ');
  const run = await runProcess({
    file: request.python,
    args: ['-B', ...command.options, ...tracer.value],
    cwd: request.cwd,
    environment: {...request.environment, ...NO_BYTECODE},
    signal: request.signal,
    timeoutMs: request.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  if (!run.ok) {
    if (run.failure.code === 'INTERRUPTED') return run;
    return fail('DISCOVER', `cannot trace "${words}": ${run.failure.message}`, run.failure);
  }
  const {exitCode, stderr} = run.value;
  const text = await readFile(out, 'utf8').catch(() => '');
  const noted = notedSchema.safeParse(parseJson(text));
  if (noted.success) return ok({...noted.data, exitCode, stderr: stderr.slice(-4000)});
  return fail('DISCOVER', `"${words}" ended (exit code ${exitCode}) before its imports were recorded`, {
    details: stderr.slice(-4000),
  });
}

async function tracerArguments(
  out: string,
  cwd: string,
  {program, arguments: rest}: PythonCommand,
): Promise<Result<readonly string[]>> {
  const tracer = scriptPath('trace_imports.py');
  if (program.kind === 'code') return ok(['-c', BOOTSTRAP, tracer, out, 'code', program.text, ...rest]);
  if (program.kind === 'module') return ok([tracer, out, 'module', program.name, ...rest]);
  // `__file__` is absolute, sys.path[0] the directory in which the script really lies (Python/pathconfig.c).
  const absolute = resolve(cwd, program.path);
  const real = await realpath(absolute).catch(() => undefined);
  if (real === undefined) return fail('DISCOVER', `cannot trace ${absolute}: no such file`);
  return ok([tracer, out, 'script', program.path, absolute, dirname(real), ...rest]);
}
