/** `npm test` itself, with npm and its shell in between: a signal ends it, at once, and all that it started. */
import {spawn, type ChildProcess} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {afterEach, expect, test} from '@jest/globals';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {ending, eventually, isRunning} from '../../support/processes.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const LIMIT_MS = 120_000;

let started: ChildProcess | undefined;
afterEach(() => {
  if (started?.pid === undefined) return;
  try {
    process.kill(-started.pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
});

/** The processes of a session: npm leads one, as it does at the prompt of a terminal. */
function membersOf(session: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) === session && isRunning(pid);
      } catch {
        return false; // It ended meanwhile.
      }
    });
}

/** A test file that goes on and on in one of jest's workers, and so does a child of it. */
function endlessTests(folder: string): readonly string[] {
  for (const name of ['one', 'two']) {
    writeFileSync(
      join(folder, `${name}.check.mjs`),
      `import {spawn} from 'node:child_process';
import {writeFileSync} from 'node:fs';
test('never ends', async () => {
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {stdio: 'ignore'});
  writeFileSync(${JSON.stringify(join(folder, `${name}.running`))}, '');
  await new Promise(() => {});
}, 600_000);`,
    );
  }
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({testMatch: ['**/*.check.mjs'], injectGlobals: true, transform: {}}));
  return ['--maxWorkers=2', '--rootDir', folder, '-c', config];
}

test.each<[NodeJS.Signals, string]>([
  ['SIGTERM', 'npm alone'],
  ['SIGKILL', 'npm alone'],
  ['SIGINT', 'all of it, as by Ctrl-C'],
  ['SIGHUP', 'all of it, as by a terminal that is closed'],
])(
  '%s, sent to %s',
  async (signal, whom) => {
    const folder = join(temporaryDirectory('npm-test'), signal);
    mkdirSync(folder);
    const npm = spawn('npm', ['test', '--', ...endlessTests(folder)], {
      cwd: ROOT,
      detached: true,
      stdio: 'ignore',
      env: {
        ...process.env,
        FLASHFREEZE_TEST_NOT_FOUND: undefined,
        FLASHFREEZE_TEST_COUNTS: join(folder, 'counts'),
      },
    });
    started = npm;
    const session = npm.pid ?? 0;
    const files = ['one', 'two'].map((name) => join(folder, `${name}.running`));
    expect(await eventually(() => files.every((file) => existsSync(file)), LIMIT_MS)).toBe(true);
    // npm, its shell or the runner, jest; its workers and their children are in a session of jest's.
    const before = membersOf(session);
    expect(before.length).toBeGreaterThan(1);
    const jest = groupsBelow(before);
    expect(jest.length).toBeGreaterThan(0);
    process.kill(whom === 'npm alone' ? session : -session, signal);
    expect(await ending(npm)).not.toMatchObject({code: 0});
    // npm does not wait for its script where both get the signal.
    const rest = (): number[] => [session, ...jest].flatMap(membersOf);
    expect(await eventually(() => rest().length === 0)).toBe(true);
  },
  2 * LIMIT_MS,
);

/** The sessions that children of these processes lead. */
function groupsBelow(parents: readonly number[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        const [, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(session) === pid && parents.includes(Number(parent));
      } catch {
        return false; // It ended meanwhile.
      }
    });
}
