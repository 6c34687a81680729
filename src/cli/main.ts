import {packageVersion} from '../fs/package-files.js';
import type {ProcessContext} from './process-context.js';
import {bug, failure, type Failure} from '../model/failure.js';
import {readWords, type Words} from './args/split-argv.js';
import {undecodableArgument} from './args/undecodable.js';

/**
 * Runs the command line `argv` (without the name of the program) and returns the exit code. Code is imported when it is
 * needed: `--version` takes no longer than Node itself.
 */
export async function main(argv: readonly string[], given?: ProcessContext): Promise<number> {
  const cwd = given?.cwd ?? workingDirectory();
  const processContext = given ?? {...OF_PROCESS, cwd: cwd ?? '/'};
  const words = readWords(argv);
  const reject = async (problem: Failure): Promise<number> => {
    const {reportUsage} = await import('./report-run.js');
    return reportUsage(problem, words.command, words.json, processContext);
  };
  if (cwd === undefined) {
    return reject(failure('IO', 'the working directory no longer exists', {hint: 'change to another one'}));
  }
  const undecodable = undecodableArgument(argv);
  if (undecodable !== undefined) {
    return reject(failure('USAGE', `the argument ${undecodable} is not UTF-8`, {hint: 'rename the file'}));
  }
  if (argv[0] === 'step') {
    const {runStep} = await import('./step.js');
    return runStep(argv.slice(1), processContext);
  }
  try {
    return await runWords(words, argv, processContext);
  } catch (error) {
    return reject(bug(words.command ?? 'flashfreeze', error));
  }
}

async function runWords(
  words: Words,
  argv: readonly string[],
  processContext: ProcessContext,
): Promise<number> {
  const {stdout, cwd} = processContext;
  if (words.tied.includes('--version')) return say(processContext, packageVersion());
  const {recallRun} = await import('./noop/up-to-date.js');
  const lastRun = await recallRun(argv, processContext);
  if (lastRun !== undefined) {
    const {repeatRun} = await import('./report-run.js');
    return repeatRun(lastRun, processContext);
  }
  const {parseCommandLine} = await import('./args/parse.js');
  const parsed = await parseCommandLine(words, cwd, Math.min(100, stdout.columns ?? 100));
  if (!parsed.ok) {
    const {reportUsage} = await import('./report-run.js');
    return reportUsage(parsed.failure, words.command, words.json, processContext);
  }
  if (parsed.value.kind === 'text') return say(processContext, parsed.value.text);
  const {runInvocation} = await import('./run.js');
  return runInvocation(parsed.value.invocation, processContext, argv);
}

async function say({stdout}: ProcessContext, text: string): Promise<number> {
  const {writerTo} = await import('../report/stream.js');
  writerTo(stdout).line(text);
  return 0;
}

const OF_PROCESS = {stdout: process.stdout, stderr: process.stderr, environment: process.env};

/** Undefined if the working directory was removed. */
function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
