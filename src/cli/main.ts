import {packageVersion} from '../hosts/package-files.js';
import type {Surroundings} from './surroundings.js';
import {readWords} from './words.js';

/**
 * Runs the command line `argv` (without the name of the program) and returns the exit code. Code is imported when it is
 * needed: `--version` takes no longer than Node itself.
 */
export async function main(
  argv: readonly string[],
  surroundings: Surroundings = ofProcess(),
): Promise<number> {
  const words = readWords(argv);
  const {stdout, cwd} = surroundings;
  if (words.tied.includes('--version')) return say(surroundings, packageVersion());
  const {parseCommandLine} = await import('./parse.js');
  const parsed = await parseCommandLine(words, cwd, Math.min(100, stdout.columns ?? 100));
  const {reportUsage, runInvocation} = await import('./run.js');
  if (!parsed.ok) return reportUsage(parsed.failure, words.command, words.json, surroundings);
  if (parsed.value.kind === 'text') return say(surroundings, parsed.value.text);
  return runInvocation(parsed.value.invocation, surroundings);
}

async function say({stdout}: Surroundings, text: string): Promise<number> {
  const {writerTo} = await import('../report/stream.js');
  writerTo(stdout).line(text);
  return 0;
}

function ofProcess(): Surroundings {
  return {stdout: process.stdout, stderr: process.stderr, environment: process.env, cwd: process.cwd()};
}
