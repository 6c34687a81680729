import {main} from '../../../src/cli/main.js';
import {textStream} from '../../support/text-stream.js';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line inside this process. */
export async function cli(
  argv: readonly string[],
  {cwd = '/', environment = {}}: {cwd?: string; environment?: Readonly<Record<string, string>>} = {},
): Promise<Ran> {
  const [stdout, stderr] = [textStream(), textStream()];
  const exitCode = await main(argv, {stdout, stderr, environment, cwd});
  return {exitCode, stdout: stdout.text(), stderr: stderr.text()};
}

/** The objects of output with `--json`. */
export function objects(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
