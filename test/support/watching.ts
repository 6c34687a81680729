/** `flashfreeze watch`, running, and what it tells. */
import {type ChildProcess, spawn} from 'node:child_process';
import {join} from 'node:path';
import {type JsonEvent, PACKAGE} from '../../support/rig.js';

export interface Watching {
  /** What each build came to, so far. */
  readonly builds: () => readonly JsonEvent[];
  /** The end of what it said to people. */
  readonly stderr: () => string;
  /** Waits for something that is bound to come; throws after five minutes, and when the process ends. */
  readonly until: (what: string, holds: () => boolean | Promise<boolean>, everyMs?: number) => Promise<void>;
  readonly stop: () => Promise<number | null>;
}

/**
 * Starts it and waits for the first build.
 * @param words the command line after `watch`
 */
export async function startWatching(
  words: readonly string[],
  cwd = '/',
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<Watching> {
  const builds: JsonEvent[] = [];
  let [rest, stderr] = ['', ''];
  const child: ChildProcess = spawn(
    process.execPath,
    [join(PACKAGE, 'bin/flashfreeze.mjs'), 'watch', ...words, '--json'],
    {cwd, env: {...process.env, ...environment}, stdio: ['ignore', 'pipe', 'pipe']},
  );
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    // The rest are the actions of each build.
    for (const line of lines) if (line.includes('"type":"build"')) builds.push(JSON.parse(line) as JsonEvent);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-10_000);
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const watching: Watching = {
    builds: () => builds,
    stderr: () => stderr,
    async until(what, holds, everyMs = 50) {
      const deadline = performance.now() + 300_000;
      while (!(await holds())) {
        if (performance.now() > deadline || child.exitCode !== null) {
          throw new Error(`${what} did not come\n${stderr}\n${JSON.stringify(builds.at(-1))}`);
        }
        await new Promise((wake) => setTimeout(wake, everyMs));
      }
    },
    stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
  try {
    await watching.until('the first build', () => builds.length > 0);
    return watching;
  } catch (error) {
    await watching.stop();
    throw error;
  }
}
