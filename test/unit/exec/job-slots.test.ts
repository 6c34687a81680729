import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeAll, describe, expect, jest, test} from '@jest/globals';
import {localSlots, openSlots} from '../../../src/exec/job-slots.js';
import {joinJobserver, serveJobs, TOKEN} from '../../../src/exec/jobserver.js';
import {runProcess} from '../../../src/exec/process.js';
import {scrubbedEnvironment} from '../../../src/exec/environment.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {writeScript} from '../../support/scripts.js';

jest.setTimeout(60_000);

let folder: string;
let jobs: string;
beforeAll(() => {
  folder = temporaryDirectory();
  jobs = writeScript(folder, 'jobs', JOBS);
});
afterEach(() => {
  for (const name of ['log', 'met']) rmSync(join(folder, name), {force: true});
});

/** How long a job goes on when enough jobs run, so that one too many would be seen. */
const LINGER_MS = 20;

/**
 * Does so many jobs in the slots that there are, and notes where each begins and ends; `end` says how the program ends when it
 * has done one of them. A job ends only when $MEET jobs have run at once: how many can is no matter of time.
 */
const JOBS = `
import {appendFileSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {openSlots} from './exec/job-slots.js';
import {abortOnSignals} from './exec/signals.js';
const [count, end] = process.argv.slice(2);
const {slots, isCutOff} = openSlots(undefined, 8, process.env.MAKEFLAGS);
if (isCutOff) console.log('cut off');
if (end === 'terminated') abortOnSignals().signal.onabort = () => process.exit(130);
let isTerminated = false;
const note = (text) => appendFileSync('log', text + '\\n');
await Promise.all(Array.from({length: Number(count)}, () => slots.run(async () => {
  note('+');
  const log = readFileSync('log', 'utf8');
  if (log.split('+').length - log.split('-').length >= Number(process.env.MEET)) writeFileSync('met', '');
  do await new Promise((wake) => setTimeout(wake, ${LINGER_MS})); while (!existsSync('met'));
  note('-');
  if (end === 'exit') process.exit(1);
  if (end === 'throw') throw new Error('a bug');
  if (end === 'terminated' && !isTerminated) {
    isTerminated = true; // A second signal would end it at once.
    process.kill(process.pid, 'SIGTERM');
  }
})));
slots.close();
`;

/** How many jobs run now, the largest number that ran at once, and how many there were. */
function jobsSeen(): Readonly<Record<'now' | 'most' | 'count', number>> {
  let [now, most, count] = [0, 0, 0];
  for (const line of readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')) {
    now += line === '+' ? 1 : -1;
    if (line === '+') count += 1;
    most = Math.max(most, now);
  }
  return {now, most, count};
}

/** @param meet how many jobs have to run at once */
function make(
  meet: number,
  makefile: string,
  ...args: string[]
): {readonly status: number | null; readonly text: string} {
  writeFileSync(
    join(folder, 'Makefile'),
    `NODE := ${process.execPath}\nJOBS := ${jobs}\nSHELL := /bin/sh\n${makefile}`,
  );
  const environment = {...scrubbedEnvironment(), MEET: String(meet)};
  const done = spawnSync('make', args, {cwd: folder, env: environment, encoding: 'utf8'});
  return {status: done.status, text: done.stdout + done.stderr};
}

/** The same job as a line of a Makefile. */
const JOB =
  'echo + >> log; [ $$(($$(grep -c + log) - $$(grep -c -e - log))) -lt $$MEET ] || : > met; ' +
  `until [ -e met ]; do sleep 0.01; done; sleep ${LINGER_MS / 1000}; echo - >> log`;

describe('under make', () => {
  test('-j3 leaves three slots', () => {
    const {status, text} = make(3, 'all: ; +@$(NODE) $(JOBS) 9\n', '-j3');
    expect({status, text}).toEqual({status: 0, text: ''});
    expect(jobsSeen()).toMatchObject({most: 3, count: 9});
  });

  test('two programs and recipes of make itself share them', () => {
    const sleepers = Array.from({length: 6}, (_, i) => `s${i}`).join(' ');
    const {status, text} = make(
      3,
      `all: a b ${sleepers}\na b: ; +@$(NODE) $(JOBS) 6\n${sleepers}: ; @${JOB}\n`,
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
      3,
      `all: after\nbroken: ; -+@$(NODE) $(JOBS) 9 ${end} 2>/dev/null\nafter: broken ; +@rm log met; $(NODE) $(JOBS) 9\n`,
      '-j3',
    );
    expect(jobsSeen()).toMatchObject({most: 3, count: 9});
    // make counts its tokens at the end.
    expect(text).not.toMatch(/INTERNAL|jobserver/);
  });

  test('a recipe line without + leaves one, which is detected', () => {
    const {status, text} = make(1, 'all: ; @$(NODE) $(JOBS) 3\n', '-j3');
    expect({status, text}).toEqual({status: 0, text: 'cut off\n'});
    expect(jobsSeen()).toMatchObject({most: 1, count: 3});
  });

  test('without -j there are as many as processors', () => {
    expect(make(8, 'all: ; +@$(NODE) $(JOBS) 9\n').text).toBe('');
    expect(jobsSeen()).toMatchObject({most: 8, count: 9});
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

test('among jobs that wait, those of an earlier turn get slots first', async () => {
  const slots = localSlots(1);
  const order: string[] = [];
  const job = (turn: 'early' | 'normal' | 'late' | undefined, name: string): Promise<void> =>
    slots.run(() => {
      order.push(name);
      return Promise.resolve();
    }, turn);
  await Promise.all([
    job('late', 'the first, as nobody waits'),
    ...[job('late', 'd'), job(undefined, 'b'), job('normal', 'c'), job('early', 'a'), job('late', 'e')],
  ]);
  expect(order).toEqual(['the first, as nobody waits', 'a', 'b', 'c', 'd', 'e']);
});

describe('a child make', () => {
  const sleep = (ms: number): Promise<void> => new Promise((wake) => void setTimeout(wake, ms));
  const note = (line: string): void => {
    writeFileSync(join(folder, 'log'), `${line}\n`, {flag: 'a'});
  };
  const isMet = (): boolean => existsSync(join(folder, 'met'));
  const job = async (meet: number): Promise<void> => {
    note('+');
    if (jobsSeen().now >= meet) writeFileSync(join(folder, 'met'), '');
    do await sleep(LINGER_MS);
    while (!isMet());
    note('-');
  };
  const signal = new AbortController().signal;

  test.each([1, 2, 4])('shares %d slots with our own jobs', async (count) => {
    const targets = Array.from({length: 8}, (_, i) => `s${i}`).join(' ');
    writeFileSync(join(folder, 'Makefile'), `all: ${targets}\n${targets}: ; @${JOB}\n`);
    const slots = localSlots(count);
    const below = slots.run(() =>
      slots.shared((jobserver) =>
        runProcess({
          file: 'make',
          args: [],
          cwd: folder,
          environment: {
            ...scrubbedEnvironment({MAKEFLAGS: jobserver?.makeFlags ?? ''}),
            MEET: String(count),
          },
          descriptors: jobserver?.descriptors ?? [],
          signal,
        }),
      ),
    );
    const ours = Promise.all(Array.from({length: 4}, () => slots.run(() => job(count))));
    expect(await below).toMatchObject({ok: true, value: {exitCode: 0, stdout: '', stderr: ''}});
    await ours;
    expect(jobsSeen()).toMatchObject({most: count, count: 12});
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
    await Promise.all(Array.from({length: 6}, () => slots.run(() => job(3))));
    expect(jobsSeen()).toMatchObject({most: 3, count: 6});
  });

  test('a job that throws gives its slot back', async () => {
    const slots = localSlots(1);
    await expect(slots.run(() => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
    await slots.run(() => job(1));
    expect(jobsSeen()).toMatchObject({most: 1, count: 1});
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
