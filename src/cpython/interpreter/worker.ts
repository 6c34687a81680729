import {spawn, type ChildProcess} from 'node:child_process';
import {createInterface} from 'node:readline';
import type {Readable} from 'node:stream';
import {failure, type Failure} from '../../model/failure.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import {NO_BYTECODE, type Interpreter} from './run-script.js';
import {scriptPath} from './scripts.js';

export interface CompileRequest {
  /** Path of the `.py` file. */
  readonly source: string;
  /** What the code objects carry as their co_filename, such as `json/decoder.py`. */
  readonly filename: string;
  /** As `-O` does: 0, 1 or 2. */
  readonly optimize: 0 | 1 | 2;
  /** Where the code unit is written (its form: scripts/compile_modules.py). */
  readonly output: string;
  /** Where the names that it imports are written, sorted, one a line. */
  readonly importsOutput: string;
}

/** Why Python does not compile a source. */
export interface CompileProblem {
  /** The class of the exception, or `crash`. */
  readonly type: string;
  /** What Python prints for it. */
  readonly text: string;
}

/** A number of warm Python processes that compile modules. */
export interface Workers {
  /**
   * Compiles a source; the problem if Python does not compile it. Fails with IO when the source cannot be read, with COMPILE when the
   * unit cannot be written or a process ends otherwise than by a crash of the compiler, and with INTERRUPTED.
   */
  readonly compile: (request: CompileRequest) => Promise<Result<CompileProblem | undefined>>;
  /** Ends them; pending requests fail with INTERRUPTED. */
  readonly stop: () => Promise<void>;
}

/**
 * No site, no user site, no bytecode files, no warnings: none of it may reach a code object. Python's variables are
 * dropped from the environment instead of `-I`, because that would ignore PYTHONHASHSEED, too.
 */
const FLAGS = ['-s', '-S', '-B', '-W', 'ignore', '-X', 'utf8'];

/** As programs are started. */
const SITE_FLAGS = ['-B', '-W', 'ignore'];

const VARIABLES = {...NO_BYTECODE, PYTHONHASHSEED: '0'} as const;
/** An overlay that is installed there has no part in what is compiled; nor has a wish for code without columns (empty means unset). */
const SITE_VARIABLES = {...VARIABLES, FLASHFREEZE: 'off', PYTHONNODEBUGRANGES: ''} as const;

/** How a worker is started: whatever shapes what it compiles, besides the interpreter and the script. */
export interface WorkerStart {
  readonly flags: readonly string[];
  /** The variables that workers set; of the given ones, those of Python are dropped unless they run `site`. */
  readonly variables: Readonly<Record<string, string>>;
}

/** @param withSite whether the worker runs `site`, as programs do */
export function workerStart(withSite: boolean): WorkerStart {
  return withSite ? {flags: SITE_FLAGS, variables: SITE_VARIABLES} : {flags: FLAGS, variables: VARIABLES};
}

/** The signals by which a compiler ends that its source was too much for. */
const CRASHES: readonly string[] = [
  'SIGSEGV',
  'SIGBUS',
  'SIGABRT',
  'SIGILL',
  'SIGFPE',
] satisfies NodeJS.Signals[];

export interface WorkerOptions extends Interpreter {
  readonly count: number;
  /** The processes run `site`, as programs do, so that they know the codecs that it registers. */
  readonly withSite?: boolean;
}

interface Job {
  readonly id: number;
  readonly request: CompileRequest;
  readonly settle: (result: Result<CompileProblem | undefined>) => void;
  /** How often a process crashed on it. */
  crashes: number;
}

interface Worker {
  readonly child: ChildProcess;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  job: Job | undefined;
}

/**
 * Workers of one Python, `count` at most. A process is started when there is a request that no idle one can take, and
 * a new one in its place when it dies: the request during which it died fails, the others do not notice.
 *
 * They need no group of their own: a worker starts nothing, and ends by itself when its input does, which is what
 * happens however our own process ends. Call `stop` when done: until then they keep the event loop alive.
 */
export function startWorkers(interpreter: WorkerOptions): Workers {
  const {python, signal, count, withSite = false} = interpreter;
  const {flags, variables} = workerStart(withSite);
  const given = withSite ? interpreter.environment : withoutPythonVariables(interpreter.environment);
  const environment = {...given, ...variables};
  const workers = new Set<Worker>();
  const idle: Worker[] = [];
  const queue: Job[] = [];
  let stopped = false;
  let serial = 0;

  const dispatch = (): void => {
    for (let job = queue[0]; job; job = queue[0]) {
      const worker = idle.pop() ?? (workers.size < count ? start() : undefined);
      if (!worker) return;
      queue.shift();
      worker.job = job;
      worker.child.stdin?.write(requestLine(job));
    }
  };

  const start = (): Worker => {
    const child = spawn(python, [...flags, scriptPath('compile_modules.py')], {
      cwd: '/',
      env: environment,
      // Answers have a stream of their own: what site loads may print.
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4000);
    });
    // A write to a process that has just died is reported by its end.
    child.stdin?.on('error', () => undefined);
    const {pid} = child;
    const gone = new Promise<void>((resolve) => {
      const onGone = (how: string): void => {
        workers.delete(worker);
        const at = idle.indexOf(worker);
        if (at >= 0) idle.splice(at, 1);
        const {job} = worker;
        worker.job = undefined;
        if (job !== undefined) onLoss(job, how, stderr);
        resolve();
        if (!stopped) dispatch();
      };
      child.once('error', (error) => {
        if (pid === undefined) onGone(error.message);
      });
      child.once('close', (code, name) => {
        if (pid !== undefined) onGone(name ?? `exit code ${code ?? 0}`);
      });
    });
    const worker: Worker = {child, gone, job: undefined};
    createInterface({input: child.stdio[3] as Readable}).on('line', (line) => {
      const {job} = worker;
      if (!job) return;
      worker.job = undefined;
      job.settle(translate(job, line));
      idle.push(worker);
      dispatch();
    });
    workers.add(worker);
    return worker;
  };

  /** A process ended during a request. A crash is perhaps not the source's doing, so another process tries once more. */
  const onLoss = (job: Job, how: string, stderr: string): void => {
    if (stopped) {
      job.settle(interrupted());
    } else if (!CRASHES.includes(how)) {
      job.settle(died(job.request, how, stderr));
    } else if (job.crashes === 0) {
      job.crashes += 1;
      queue.unshift(job);
    } else {
      job.settle(ok({type: 'crash', text: `the compiler crashed (${how})\n${stderr}`.trimEnd()}));
    }
  };

  const stop = async (): Promise<void> => {
    stopped = true;
    signal.removeEventListener('abort', onAbort);
    for (const job of queue.splice(0)) job.settle(interrupted());
    await Promise.all(
      [...workers].map((worker) => {
        // An idle worker ends with its input; a busy one can be killed.
        if (worker.job) worker.child.kill('SIGKILL');
        else worker.child.stdin?.end();
        return worker.gone;
      }),
    );
  };
  const onAbort = (): void => {
    void stop();
  };
  signal.addEventListener('abort', onAbort, {once: true});

  return {
    compile: (request) =>
      new Promise((settle) => {
        if (stopped || signal.aborted) {
          settle(interrupted());
          return;
        }
        serial += 1;
        queue.push({id: serial, request, settle, crashes: 0});
        dispatch();
      }),
    stop,
  };
}

function withoutPythonVariables(given: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith('PYTHON')));
}

/** A request as the worker reads it (scripts/compile_modules.py): a line, with its end. */
export function requestLine({id, request}: {readonly id: number; readonly request: CompileRequest}): string {
  const {source, filename, optimize, output, importsOutput} = request;
  const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');
  return `${[id, hex(source), hex(filename), optimize, hex(output), hex(importsOutput)].join(' ')}\n`;
}

function translate({id, request}: Job, line: string): Result<CompileProblem | undefined> {
  const [answered, outcome, ...words] = line.split(' ');
  const [first = '', second = ''] = words.map((word) => Buffer.from(word, 'hex').toString('utf8'));
  if (answered === String(id)) {
    if (outcome === 'ok') return ok(undefined);
    if (outcome === 'error') return ok({type: first, text: second});
    if (outcome === 'unread') return fail('IO', `cannot read ${request.source}: ${first}`);
    if (outcome === 'unwritten') {
      return fail('COMPILE', `cannot write the code of ${request.source}: ${first}`);
    }
  }
  return fail('COMPILE', `the compiler of ${request.source} sent an invalid response: ${line}`);
}

/** The failure of a build that needs a source that does not compile. */
export function compileFailure(source: string, {type, text}: CompileProblem): Failure {
  return failure('COMPILE', `${source} does not compile (${type})`, {details: text});
}

function died(request: CompileRequest, how: string, stderr: string): Result<never> {
  const message = `the Python that compiled ${request.source} ended (${how})`;
  return err(failure('COMPILE', message, {details: stderr === '' ? undefined : stderr}));
}

function interrupted(): Result<never> {
  return fail('INTERRUPTED', 'the compilation was interrupted');
}
