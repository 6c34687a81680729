/** Signals in every phase of the commands that take long: the run ends, nothing of it is left running, no output is half written, and the next run goes on. */
import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreeze, PACKAGE} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);

const python = findPythons().at(-1)?.python ?? 'python3';
const folder = temporaryDirectory('signals');
const cache = join(folder, 'cache');

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it was still running when the signal was sent. */
  readonly wasSent: boolean;
}

/** Runs the program, and sends it a signal, so often, when it has printed what matches. */
function interrupt(
  words: readonly string[],
  at: RegExp,
  signal: NodeJS.Signals,
  times: number,
): Promise<Ended> {
  const child = spawn(process.execPath, [join(PACKAGE, 'bin/flashfreeze.mjs'), ...words], {
    cwd: folder,
    env: {...process.env, HOME: folder},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = {stdout: '', stderr: ''};
  let wasSent = false;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      if (wasSent || !at.test(said[name])) return;
      wasSent = true;
      for (let i = 0; i < times; i += 1) child.kill(signal);
    });
  }
  return new Promise((done) => {
    child.on('close', (status, endedBy) => {
      done({status, signal: endedBy, ...said, wasSent});
    });
  });
}

/** The command lines and working directories of processes that name our directory. */
function running(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((id) => {
      try {
        const line = readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(folder) ? [line] : [];
      } catch {
        return [];
      }
    });
}

/** Processes get a moment to end that were killed when their parent ended. */
async function expectNothingRunning(): Promise<void> {
  for (let round = 0; running().length > 0 && round < 100; round += 1)
    await new Promise((done) => setTimeout(done, 100));
  expect(running()).toEqual([]);
}

function expectInterrupted({status, signal, stderr, wasSent}: Ended, name: NodeJS.Signals): void {
  expect(wasSent).toBe(true);
  // A second signal ends the process as such, and so does the first one when all is done.
  const ways: readonly unknown[] = [name, 130, 0];
  expect([status, signal, ways.includes(signal ?? status)]).toEqual([status, signal, true]);
  if (status === 130) expect(stderr).toContain('error[INTERRUPTED]');
  expect(stderr).not.toMatch(/error\[BUG\]|\n\s+at /);
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PHASES = ['compile:', 'generate:', 'cc:', 'index:', 'link:'];
const started = (id: string): RegExp =>
  new RegExp(`"type":"action-started"[^\\n]*"id":"${id}|"id":"${id}[^\\n]*"type":"action-started"`);

const HAS_IMAGES = 'import textwrap, _flashfreeze; print(_flashfreeze.is_static(textwrap.wrap.__code__))';

let serial = 0;
afterAll(expectNothingRunning);

describe.each(['relink', 'overlay'])('%s', (command) => {
  const cases = PHASES.flatMap((phase, i) =>
    [1, 2].map((times, j) => ({phase, times, signal: SIGNALS[(i + j) % SIGNALS.length] ?? 'SIGINT'})),
  );
  test.each(cases)('$signal at $phase, $times times', async ({phase, times, signal}) => {
    serial += 1;
    const place = join(folder, String(serial));
    const out = join(place, 'out');
    mkdirSync(place);
    const words = [command, '--python', python, '--out', out, '--build-dir', join(place, 'build')];
    words.push('--module', 'textwrap', '--cache-dir', cache, '--json');
    // Nothing of it is in the cache yet.
    const ended = await interrupt([...words, '--force'], started(phase), signal, times);
    expectInterrupted(ended, signal);
    await expectNothingRunning();
    // Whether a Python uses the images that are there: an overlay without its hook is none.
    const usesImages = (): string =>
      command === 'relink'
        ? execFileSync(out, ['-c', HAS_IMAGES], {encoding: 'utf8'})
        : execFileSync(
            python,
            ['-c', `import site; site.addsitedir(${JSON.stringify(out)}); ${HAS_IMAGES}`],
            {encoding: 'utf8'},
          );
    const isThere = (): boolean => existsSync(command === 'relink' ? out : join(out, 'flashfreeze.pth'));
    // The old output, the new one, or none.
    if (isThere() && ended.status !== 130) expect(usesImages()).toBe('True\n');
    const next = await flashfreeze(words);
    expect(next).toMatchObject({exitCode: 0});
    expect(usesImages()).toBe('True\n');
    const left = readdirSync(place).filter((name) => !['out', 'build', 'out.stamps'].includes(name));
    expect(left).toEqual([]);
  });
});

describe('other commands', () => {
  const out = join(folder, 'python');
  const build = [
    '--python',
    python,
    '--out',
    out,
    '--build-dir',
    join(folder, 'build'),
    '--module',
    'textwrap',
  ];
  beforeAll(async () => {
    expect(await flashfreeze(['relink', ...build, '--cache-dir', cache])).toMatchObject({exitCode: 0});
  });

  const others: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['verify', ['--images', out], /command-started/],
    [
      'discover',
      ['--python', python, '--trace', '-c "import time; print(1); time.sleep(60)"'],
      /"id":"discover:modules"/,
    ],
    ['cache', ['gc'], /command-started/],
    ['cache', ['verify'], /command-started/],
  ];
  test.each(others)('%s %j', async (command, words, at) => {
    for (const times of [1, 2]) {
      const ended = await interrupt(
        [command, ...words, '--cache-dir', cache, '--json'],
        at,
        'SIGTERM',
        times,
      );
      expectInterrupted(ended, 'SIGTERM');
      await expectNothingRunning();
    }
    expect(await flashfreeze(['relink', ...build, '--cache-dir', cache])).toMatchObject({exitCode: 0});
  });
});

/** Programs that hear of a signal and go on: only the second one ends a run that waits for them. */
describe('a program that ignores signals', () => {
  const [begun, noted] = [join(folder, 'begun'), join(folder, 'noted')];
  const script = join(folder, 'stubborn.sh');
  const main = join(folder, 'stubborn.py');
  beforeAll(() => {
    const shell = `trap 'echo noted > ${noted}' INT TERM HUP\necho begun > ${begun}\nwhile :; do sleep 0.05; done\n`;
    writeFileSync(script, shell);
    writeFileSync(main, `import os\nos.execv('/bin/sh', ['sh', '${script}'])\n`);
  });

  async function appears(file: string, isOver: () => boolean): Promise<void> {
    while (!existsSync(file) && !isOver()) await new Promise((done) => setTimeout(done, 20));
    expect([file, existsSync(file)]).toEqual([file, true]);
  }

  const out = join(folder, 'stubborn-python');
  const places = ['--out', out, '--build-dir', join(folder, 'stubborn-build'), '--module', 'textwrap'];
  const commands: readonly (readonly [string, readonly string[]])[] = [
    ['watch', ['watch', 'relink', '--python', python, ...places, '--exec', `exec sh ${script}`]],
    ['try', ['try', `${python} ${main}`]],
    ['discover', ['discover', '--python', python, '--trace', main]],
  ];
  test.each(commands.flatMap(([name, words]) => SIGNALS.map((signal) => ({name, words, signal}))))(
    '$name ends by the second $signal',
    async ({words, signal}) => {
      for (const file of [begun, noted]) rmSync(file, {force: true});
      const child = spawn(
        process.execPath,
        [join(PACKAGE, 'bin/flashfreeze.mjs'), ...words, '--cache-dir', cache],
        {
          cwd: folder,
          env: {...process.env, HOME: folder},
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      );
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      const ended = new Promise((done) => {
        child.on('close', (status, endedBy) => {
          done({status, endedBy});
        });
      });
      const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
      await appears(begun, isOver);
      child.kill(signal);
      await appears(noted, isOver);
      child.kill(signal);
      expect([await ended, stderr]).toEqual([
        {status: null, endedBy: signal},
        expect.not.stringMatching(/error\[BUG\]|\n\s+at /),
      ]);
      await expectNothingRunning();
    },
  );
});
