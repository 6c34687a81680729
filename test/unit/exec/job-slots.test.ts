import {spawnSync} from 'node:child_process';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeAll, describe, expect, jest, test} from '@jest/globals';
import {localSlots, openSlots} from '../../../src/exec/job-slots.js';
import {joinJobserver, serveJobs, TOKEN} from '../../../src/exec/jobserver.js';
import {runProcess} from '../../../src/exec/process.js';
import {scrubbedEnvironment} from '../../../src/exec/environment.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {compileRooms} from './rig.js';

jest.setTimeout(60_000);

let folder: string;
beforeAll(() => {
  folder = temporaryDirectory();
  compileRooms(folder);
  writeFileSync(join(folder, 'jobs.mjs'), JOBS);
});
afterEach(() => {
  rmSync(join(folder, 'log'), {force: true});
});

/**
 * Does so many jobs of 0.15 s each in the slots that there are, and notes where each begins and ends; `end` says how the program ends
 * when it has done one of them.
 */
const JOBS = `
import {appendFileSync} from 'node:fs';
import {openSlots} from './exec/job-slots.js';
import {abortOnSignals} from './exec/signals.js';
const [count, end] = process.argv.slice(2);
const {slots, isCutOff} = openSlots(undefined, 8, process.env.MAKEFLAGS);
if (isCutOff) console.log('cut off');
if (end === 'terminated') abortOnSignals().signal.onabort = () => process.exit(130);
const note = (text) => appendFileSync('log', text + '\\n');
await Promise.all(Array.from({length: Number(count)}, () => slots.run(async () => {
  note('+');
  await new Promise((wake) => setTimeout(wake, 150));
  note('-');
  if (end === 'exit') process.exit(1);
  if (end === 'throw') throw new Error('a bug');
  if (end === 'terminated') process.kill(process.pid, 'SIGTERM');
})));
slots.close();
`;

/** The largest number of jobs that ran at once, and how many there were. */
function jobsSeen(): {readonly most: number; readonly count: number} {
  let [now, most, count] = [0, 0, 0];
  for (const line of readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')) {
    now += line === '+' ? 1 : -1;
    if (line === '+') count += 1;
    most = Math.max(most, now);
  }
  return {most, count};
}

function make(makefile: string, ...args: string[]): {readonly status: number | null; readonly text: string} {
  writeFileSync(join(folder, 'Makefile'), `NODE := ${process.execPath}\nSHELL := /bin/sh\n${makefile}`);
  const environment = scrubbedEnvironment();
  const done = spawnSync('make', args, {cwd: folder, env: environment, encoding: 'utf8'});
  return {status: done.status, text: done.stdout + done.stderr};
}

const SLEEPER = 'echo + >> log; sleep 0.15; echo - >> log';

describe('under make', () => {
  test('-j3 leaves three slots', () => {
    const {status, text} = make('all: ; +@$(NODE) jobs.mjs 9\n', '-j3');
    expect({status, text}).toEqual({status: 0, text: ''});
    expect(jobsSeen()).toEqual({most: 3, count: 9});
  });

  test('two programs and recipes of make itself share them', () => {
    const sleepers = Array.from({length: 6}, (_, i) => `s${i}`).join(' ');
    const {status, text} = make(
      `all: a b ${sleepers}\na b: ; +@$(NODE) jobs.mjs 6\n${sleepers}: ; @${SLEEPER}\n`,
      '-j4',
    );
    expect({status, text}).toEqual({status: 0, text: ''});
    const {most, count} = jobsSeen();
    expect(count).toBe(18);
    expect(most).toBeGreaterThan(2);
    expect(most).toBeLessThanOrEqual(4);
  });

  test.each(['exit', 'throw', 'terminated'])('tokens come back when the program ends by %s', (end) => {
    const {text} = make(
      `all: after\nbroken: ; -+@$(NODE) jobs.mjs 9 ${end} 2>/dev/null\nafter: broken ; +@rm log; $(NODE) jobs.mjs 9\n`,
      '-j3',
    );
    expect(jobsSeen()).toEqual({most: 3, count: 9});
    // make counts its tokens at the end.
    expect(text).not.toMatch(/INTERNAL|jobserver/);
  });

  test('a recipe line without + leaves one, which is detected', () => {
    const {status, text} = make('all: ; @$(NODE) jobs.mjs 3\n', '-j3');
    expect({status, text}).toEqual({status: 0, text: 'cut off\n'});
    expect(jobsSeen()).toEqual({most: 1, count: 3});
  });

  test('without -j there are as many as processors', () => {
    expect(make('all: ; +@$(NODE) jobs.mjs 9\n').text).toBe('');
    expect(jobsSeen()).toEqual({most: 8, count: 9});
  });

  test('a fifo serves as well', () => {
    spawnSync('mkfifo', [join(folder, 'fifo')]);
    const jobserver = joinJobserver({kind: 'fifo', path: join(folder, 'fifo')});
    expect(jobserver?.take()).toBeUndefined();
    jobserver?.give(0x61);
    expect(jobserver?.take()).toBe(0x61);
    jobserver?.close();
    expect(joinJobserver({kind: 'fifo', path: join(folder, 'none')})).toBeUndefined();
  });
});

describe('a child make', () => {
  const sleep = (ms: number): Promise<void> => new Promise((wake) => void setTimeout(wake, ms));
  const note = (line: string): void => {
    writeFileSync(join(folder, 'log'), `${line}\n`, {flag: 'a'});
  };
  const job = async (): Promise<void> => {
    note('+');
    await sleep(150);
    note('-');
  };
  const signal = new AbortController().signal;

  test.each([1, 2, 4])('shares %d slots with our own jobs', async (count) => {
    const targets = Array.from({length: 8}, (_, i) => `s${i}`).join(' ');
    writeFileSync(join(folder, 'Makefile'), `all: ${targets}\n${targets}: ; @${SLEEPER}\n`);
    const slots = localSlots(count);
    const below = slots.run(() =>
      slots.shared((jobserver) =>
        runProcess({
          file: 'make',
          args: [],
          cwd: folder,
          environment: scrubbedEnvironment({MAKEFLAGS: jobserver?.makeFlags ?? ''}),
          descriptors: jobserver?.descriptors ?? [],
          signal,
        }),
      ),
    );
    const ours = Promise.all(Array.from({length: 4}, () => slots.run(job)));
    expect(await below).toMatchObject({ok: true, value: {exitCode: 0, stdout: '', stderr: ''}});
    await ours;
    expect(jobsSeen()).toEqual({most: count, count: 12});
  });

  test('that is killed loses no slot', async () => {
    const slots = localSlots(3);
    await slots.run(() =>
      slots.shared((jobserver) =>
        runProcess({
          file: 'sh',
          args: ['-c', 'dd bs=1 count=2 <&3 >/dev/null 2>&1; kill -9 $$'],
          cwd: folder,
          environment: scrubbedEnvironment(),
          descriptors: jobserver?.descriptors ?? [],
          signal,
        }),
      ),
    );
    await Promise.all(Array.from({length: 6}, () => slots.run(job)));
    expect(jobsSeen()).toEqual({most: 3, count: 6});
  });

  test('a job that throws gives its slot back', async () => {
    const slots = localSlots(1);
    await expect(slots.run(() => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
    await slots.run(job);
    expect(jobsSeen()).toEqual({most: 1, count: 1});
  });
});

test('a served jobserver has its tokens, leaves nothing behind, and never waits', () => {
  const server = serveJobs(2);
  expect([server?.take(), server?.take(), server?.take()]).toEqual([TOKEN, TOKEN, undefined]);
  server?.give(TOKEN);
  expect(server?.take()).toBe(TOKEN);
  server?.close();
});

test('a number from the user takes precedence over make', () => {
  const {slots, isCutOff} = openSlots(5, 2, ' -j2 --jobserver-auth=-2,-2');
  expect({width: slots.width, isCutOff}).toEqual({width: 5, isCutOff: false});
});
