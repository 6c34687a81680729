import {packageVersion} from '../fs/package-files.js';
import type {Surroundings} from './process-context.js';
import {readWords} from './args/split-argv.js';

/**
 * Runs the command line `argv` (without the name of the program) and returns the exit code. Code is imported when it is
 * needed: `--version` takes no longer than Node itself.
 */
export async function main(argv: readonly string[], given?: Surroundings): Promise<number> {
  const surroundings = given ?? ofProcess();
  if (argv[0] === 'step') {
    const {runStep} = await import('./step.js');
    return runStep(argv.slice(1), surroundings);
  }
  const words = readWords(argv);
  const {stdout, cwd} = surroundings;
  if (words.tied.includes('--version')) return say(surroundings, packageVersion());
  const {recallRun} = await import('./noop/up-to-date.js');
  const lastRun = await recallRun(argv, surroundings);
  if (lastRun !== undefined) {
    const {repeatRun} = await import('./report-run.js');
    return repeatRun(lastRun, surroundings);
  }
  const {parseCommandLine} = await import('./args/parse.js');
  const parsed = await parseCommandLine(words, cwd, Math.min(100, stdout.columns ?? 100));
  if (!parsed.ok) {
    const {reportUsage} = await import('./report-run.js');
    return reportUsage(parsed.failure, words.command, words.json, surroundings);
  }
  if (parsed.value.kind === 'text') return say(surroundings, parsed.value.text);
  const {runInvocation} = await import('./run.js');
  return runInvocation(parsed.value.invocation, surroundings, argv);
}

async function say({stdout}: Surroundings, text: string): Promise<number> {
  const {writerTo} = await import('../report/stream.js');
  writerTo(stdout).line(text);
  return 0;
}

function ofProcess(): Surroundings {
  return {stdout: process.stdout, stderr: process.stderr, environment: process.env, cwd: process.cwd()};
}
