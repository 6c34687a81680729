import {main} from '../../../src/cli/main.js';
import type {TextStream} from '../../../src/report/stream.js';

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
  const written = {stdout: '', stderr: ''};
  const stream = (name: keyof typeof written): TextStream => ({
    write(text) {
      written[name] += text;
    },
    on() {
      // Never fails.
    },
  });
  const exitCode = await main(argv, {stdout: stream('stdout'), stderr: stream('stderr'), environment, cwd});
  return {exitCode, ...written};
}

/** The objects of output with `--json`. */
export function objects(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
