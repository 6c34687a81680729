/** What runs the tests (scripts/testing): what it prints, what counts, and that nothing goes on when it is ended. */
import {spawn, type ChildProcess} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {ending, eventually, isRunning} from '../../support/processes.js';

const RUN_PARTS = resolve(import.meta.dirname, '../../../scripts/testing/run-parts.mjs');

let directory: string;
let main: ChildProcess;
let printed: string;
/** The second at which the run has to end. */
let until: string | undefined;
beforeEach(() => {
  until = undefined;
  directory = temporaryDirectory('run-parts');
  printed = '';
});
afterEach(() => {
  if (main.exitCode === null && main.signalCode === null) main.kill('SIGKILL');
});

const at = (name: string): string => join(directory, name);

/** Starts a run of jest for each part, of which each is the text of one test file. */
function start(...parts: readonly string[]): void {
  const list = parts.map((text, index) => {
    const root = at(`part${index}`);
    mkdirSync(root);
    writeFileSync(join(root, 'sample.check.mjs'), text);
    writeFileSync(
      join(root, 'config.json'),
      JSON.stringify({testMatch: ['**/*.check.mjs'], injectGlobals: true, transform: {}}),
    );
    return {name: `part ${index}`, args: ['--runInBand', '--rootDir', root, '-c', join(root, 'config.json')]};
  });
  writeFileSync(
    at('main.mjs'),
    `import {runParts} from ${JSON.stringify(RUN_PARTS)};
process.exitCode = await runParts(${JSON.stringify(list)});`,
  );
  const environment = {
    ...process.env,
    // Not the files of the run that this test is part of.
    FLASHFREEZE_TEST_NOT_FOUND: undefined,
    FLASHFREEZE_TEST_UNTIL: until,
    FLASHFREEZE_TEST_COUNTS: at('counts'),
    FORCE_COLOR: '0',
  };
  main = spawn(process.execPath, [at('main.mjs')], {env: environment, stdio: ['ignore', 'pipe', 'pipe']});
  for (const stream of [main.stdout, main.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  }
}

const MARKS = (name: string): string =>
  `import {writeFileSync} from 'node:fs'; test('marks', () => writeFileSync(${JSON.stringify(at(name))}, ''));`;

/** Starts a program that runs on and on, and writes its own and jest's process id to files. */
const ENDLESS = (): string => `import {spawn} from 'node:child_process';
import {renameSync, writeFileSync} from 'node:fs';
test('never ends', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {stdio: 'ignore'});
  writeFileSync(${JSON.stringify(at('new'))}, process.pid + ' ' + child.pid);
  renameSync(${JSON.stringify(at('new'))}, ${JSON.stringify(at('running'))});
  await new Promise(() => {});
}, 600_000);`;

async function running(): Promise<number[]> {
  expect(await eventually(() => existsSync(at('running')), 60_000)).toBe(true);
  const pids = readFileSync(at('running'), 'utf8').split(' ').map(Number);
  expect(pids.map(isRunning)).toEqual([true, true]);
  return pids;
}

test('counts what all parts have, and says which files were slow, what was not found, and what failed', async () => {
  start(
    `import {appendFileSync} from 'node:fs';
     test('good', () => {});
     test.skip('skipped', () => {
     });
     appendFileSync(process.env.FLASHFREEZE_TEST_NOT_FOUND, JSON.stringify({name: 'nginx', file: 'here'}) + '\\n');`,
    `test('bad', () => { expect('this').toBe('that'); });`,
    `throw new Error('this file is broken')`,
  );
  expect(await ending(main)).toEqual({code: 1, signal: null});
  expect(printed).toMatch(/^pass .*part0\/sample\.check\.mjs {2}1 passed, 1 skipped \(/m);
  expect(printed).toMatch(/^FAIL .*part1\/sample\.check\.mjs {2}1 failed \([^]*Expected: "that"/m);
  expect(printed).toContain('this file is broken');
  expect(printed).toMatch(/^slowest test files:\n( +[\d.]+ s {2}\S+\n){3}/m);
  expect(printed).toContain('\n  nginx: here\n');
  const [, end = ''] = printed.split('\nfailed:\n');
  expect(end).toMatch(
    /^FAIL .*part1\/sample\.check\.mjs\n[^]*Expected: "that"[^]*\nFAIL .*part2\/sample\.check\.mjs\n/,
  );
  expect(end).toContain('this file is broken');
  expect(printed.trimEnd().split('\n').at(-1)).toBe('1 passed, 2 failed, 1 skipped');
  expect(readFileSync(at('counts'), 'utf8')).toBe('1 2\n');
});

describe('a run that is ended', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s ends all that it started', async (signal) => {
    start(ENDLESS(), MARKS('second'));
    const pids = await running();
    main.kill(signal);
    expect(await ending(main)).toEqual({code: null, signal});
    expect(pids.map(isRunning)).toEqual([false, false]);
    expect(existsSync(at('second'))).toBe(false);
  });

  test('by its limit says so, begins no other part, and counts what ran', async () => {
    until = '1';
    start(ENDLESS(), MARKS('second'));
    expect(await ending(main)).toEqual({code: 0, signal: null});
    expect(printed).toContain('== OUT OF TIME: ');
    expect(printed.trimEnd().split('\n').at(-1)).toBe('0 passed, 0 failed');
    expect(existsSync(at('second'))).toBe(false);
  });

  test('by SIGKILL, of which it learns nothing: jest and its children end', async () => {
    start(ENDLESS(), MARKS('second'));
    const pids = await running();
    main.kill('SIGKILL');
    expect(await eventually(() => !pids.some(isRunning))).toBe(true);
    expect(existsSync(at('second'))).toBe(false);
  });

  test('because jest was killed: no other part begins', async () => {
    start(ENDLESS(), MARKS('second'));
    const [jest = 0, child = 0] = await running();
    process.kill(jest, 'SIGTERM');
    expect(await ending(main)).toEqual({code: null, signal: 'SIGTERM'});
    expect(isRunning(child)).toBe(false);
    expect(existsSync(at('second'))).toBe(false);
  });
});
