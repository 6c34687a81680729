import {setMaxListeners} from 'node:events';
import {statSync} from 'node:fs';
import {execa, type ResultPromise} from 'execa';
import {currentRecording} from '../fs/recording.js';
import {errnoOf, messageOf} from '../model/errno.js';
import {failure, type Failure} from '../model/failure.js';
import {err, ok, type Result} from '../model/result.js';
import {guardGroup, signalGroup} from './groups.js';
import {collectBounded, splitLines, type Collector} from './output.js';

export interface ProcessSpec {
  /** The program: a path, or a name that is looked up on the PATH of `environment`. */
  readonly file: string;
  readonly args: readonly string[];
  /** The name by which the program is called, if that is not `file`. */
  readonly argv0?: string;
  /** The directory it runs in. */
  readonly cwd: string;
  /** All of its environment; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends it, and everything that it started. */
  readonly signal: AbortSignal;
  /** Gets what it prints, as it comes: whole lines, without the last line break. */
  readonly onOutput?: (text: string, stream: 'stdout' | 'stderr') => void;
  /** What it reads on its standard input, which is empty else. */
  readonly input?: string | Uint8Array;
  /** Open descriptors of this process that it gets as 3, 4, …, besides the three standard ones. */
  readonly descriptors?: readonly number[];
  /** After so many milliseconds it is ended. */
  readonly timeoutMs?: number;
  /** How much of each output stream is kept, in bytes: the first and the last half. */
  readonly maxOutputBytes?: number;
  /** Milliseconds between the request to end (SIGTERM) and the kill (SIGKILL). */
  readonly killDelayMs?: number;
}

export interface ProcessOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const DEFAULT_MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const DEFAULT_KILL_DELAY_MS = 3000;
/** What a process leaves running may finish writing for so long (milliseconds) after the process itself has ended. */
const DRAIN_MS = 2000;
/** Output pipes that a process outside of the group holds open are given up so long (milliseconds) after the kill. */
const GIVE_UP_MS = 500;

/** How a process ended; `timeout` when it had to be stopped. */
export type Ending =
  | {readonly kind: 'exit'; readonly code: number}
  | {readonly kind: 'signal'; readonly signal: string}
  | {readonly kind: 'timeout'; readonly seconds: number};

/** What a process printed, and how it ended. */
export interface EndedProcess extends Pick<ProcessOutput, 'stdout' | 'stderr'> {
  readonly ending: Ending;
}

/**
 * Runs a program in a process group of its own and waits for it and everything that it started.
 *
 * A program that ran to its end is a success, whatever its exit code: the caller knows what the code means. Fails with
 * NO_TOOL when there is no such program, with PROCESS when it cannot be started, is killed by a signal or takes longer
 * than `timeoutMs`, and with INTERRUPTED when `signal` is aborted. Nothing of the group is running when it returns.
 */
export async function runProcess(spec: ProcessSpec): Promise<Result<ProcessOutput>> {
  const run = await runToAnyEnd(spec);
  if (!run.ok) return run;
  const {ending, ...output} = run.value;
  if (ending.kind === 'exit') return ok({...output, exitCode: ending.code});
  const message =
    ending.kind === 'timeout'
      ? `did not end within ${ending.seconds} s and was stopped`
      : `was killed by ${ending.signal}`;
  return err(failure('PROCESS', `${spec.file} ${message}`, {details: lastWords(output.stderr)}));
}

/** The same for a program whose output matters however it ends: a signal or a timeout is no failure here. */
export async function runToAnyEnd(spec: ProcessSpec): Promise<Result<EndedProcess>> {
  // What it reads is not recorded.
  currentRecording()?.addGap(`${spec.file} ran`);
  if (spec.signal.aborted) return err(interrupted(spec));
  const guard = guardGroup();
  const child = start(spec);
  if (!child.ok) {
    guard.release();
    return child;
  }
  if (child.value.pid !== undefined) guard.track(child.value.pid);
  const limit = spec.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
  const stdout = consume(child.value, 'stdout', limit, spec.onOutput);
  const stderr = consume(child.value, 'stderr', limit, spec.onOutput);
  const ended = await supervise(child.value, spec);
  guard.release();
  stdout.end();
  stderr.end();
  if (ended.stopped === 'interrupted') return err(interrupted(spec));
  const ending = endingOf(ended, spec);
  if (ending === undefined) return err(notStarted(spec, ended.cause));
  return ok({stdout: stdout.collector.text(), stderr: stderr.collector.text(), ending});
}

function endingOf({stopped, exitCode, signal}: Ended, {timeoutMs = 0}: ProcessSpec): Ending | undefined {
  if (stopped === 'timeout') return {kind: 'timeout', seconds: timeoutMs / 1000};
  if (exitCode !== undefined) return {kind: 'exit', code: exitCode};
  return signal === undefined ? undefined : {kind: 'signal', signal};
}

type Child = ResultPromise<{buffer: false; reject: false}>;

/** execa throws at once for arguments that no process can have, such as a NUL byte. */
function start(spec: ProcessSpec): Result<Child> {
  // Any descriptor will do; execa's types name those of one digit.
  const descriptors = (spec.descriptors ?? []) as readonly (3 | 4)[];
  try {
    const child = execa(spec.file, spec.args, {
      cwd: spec.cwd,
      env: spec.environment,
      extendEnv: false,
      detached: true,
      cleanup: false,
      buffer: false,
      reject: false,
      stdio: [spec.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...descriptors],
      ...(spec.input === undefined ? {} : {input: spec.input}),
      ...(spec.argv0 === undefined ? {} : {argv0: spec.argv0}),
    });
    return ok(child as unknown as Child);
  } catch (error) {
    return err(notStarted(spec, error));
  }
}

interface Consumer {
  readonly collector: Collector;
  /** Passes on what came after the last line break. */
  readonly end: () => void;
}

function consume(
  child: Child,
  name: 'stdout' | 'stderr',
  limit: number,
  onOutput: ProcessSpec['onOutput'],
): Consumer {
  const collector = collectBounded(limit);
  const lines =
    onOutput &&
    splitLines((text) => {
      onOutput(text, name);
    });
  child[name].on('data', (chunk: Buffer) => {
    collector.add(chunk);
    lines?.add(chunk);
  });
  return {collector, end: () => lines?.end()};
}

interface Ended {
  readonly stopped: 'interrupted' | 'timeout' | undefined;
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly cause: unknown;
}

/** Waits for the end of a process, brings it about when it has to be, and of what it leaves in the way. */
async function supervise(child: Child, spec: ProcessSpec): Promise<Ended> {
  const {pid} = child;
  if (pid === undefined) return describe(await child, undefined);
  let stopped: Ended['stopped'];
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, act: () => void): void => {
    timers.push(setTimeout(act, ms));
  };
  const stop = (reason: 'interrupted' | 'timeout'): void => {
    if (stopped !== undefined) return;
    stopped = reason;
    signalGroup(pid, 'SIGTERM');
    after(spec.killDelayMs ?? DEFAULT_KILL_DELAY_MS, () => {
      signalGroup(pid, 'SIGKILL');
    });
  };
  const onAbort = (): void => {
    stop('interrupted');
  };
  // One signal for all processes of a run: any number of listeners is right.
  setMaxListeners(0, spec.signal);
  spec.signal.addEventListener('abort', onAbort, {once: true});
  if (spec.timeoutMs !== undefined) {
    after(spec.timeoutMs, () => {
      stop('timeout');
    });
  }
  child.once('exit', () => {
    // Whoever still holds the output pipes would keep us waiting for ever.
    after(DRAIN_MS, () => {
      signalGroup(pid, 'SIGKILL');
      after(GIVE_UP_MS, () => {
        child.stdout.destroy();
        child.stderr.destroy();
      });
    });
  });
  const result = await child;
  timers.forEach(clearTimeout);
  spec.signal.removeEventListener('abort', onAbort);
  return describe(result, stopped);
}

function describe(result: Awaited<Child>, stopped: Ended['stopped']): Ended {
  return {stopped, exitCode: result.exitCode, signal: result.signal, cause: result.cause};
}

function notStarted(spec: ProcessSpec, cause: unknown): Failure {
  if (!isFolder(spec.cwd)) {
    return failure('PROCESS', `cannot start ${spec.file} in ${spec.cwd}: not a directory`);
  }
  if (errnoOf(cause) === 'ENOENT') {
    return failure('NO_TOOL', `${spec.file}: command not found`, {
      hint: 'install it, or add its directory to PATH',
    });
  }
  return failure('PROCESS', `cannot start ${spec.file}: ${messageOf(cause)}`);
}

function isFolder(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isDirectory() ?? false;
}

function interrupted(spec: ProcessSpec): Failure {
  return failure('INTERRUPTED', `${spec.file} was interrupted`);
}

/** The end of what a program said, as details of a failure. */
function lastWords(stderr: string): string | undefined {
  const text = stderr.trimEnd();
  return text === '' ? undefined : text.slice(-4000);
}
