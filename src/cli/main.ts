import {packageVersion} from '../fs/package-files.js';
import type {ProcessContext} from './process-context.js';
import {readWords} from './args/split-argv.js';

/**
 * Runs the command line `argv` (without the name of the program) and returns the exit code. Code is imported when it is
 * needed: `--version` takes no longer than Node itself.
 */
export async function main(argv: readonly string[], given?: ProcessContext): Promise<number> {
  const processContext = given ?? ofProcess();
  if (argv[0] === 'step') {
    const {runStep} = await import('./step.js');
    return runStep(argv.slice(1), processContext);
  }
  const words = readWords(argv);
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

function ofProcess(): ProcessContext {
  return {stdout: process.stdout, stderr: process.stderr, environment: process.env, cwd: process.cwd()};
}
