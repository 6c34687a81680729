/** What goes wrong gets its sentence, its hint and its code, and leaves nothing running and nothing half written. */
import {execFileSync} from 'node:child_process';
import {existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {type Tree, prepareTree} from '../../support/cpython-trees.js';
import {flashfreeze, flashfreezeJson} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

const folder = temporaryDirectory('bad');
let tree: Tree;
beforeAll(async () => {
  tree = await prepareTree('3.13.15');
}, 20 * 60_000);

/** A PATH on which there are only these tools. */
function pathWith(name: string, tools: readonly string[]): string {
  const place = join(folder, name);
  mkdirSync(place);
  for (const tool of tools) {
    const found = execFileSync('sh', ['-c', `command -v ${tool}`], {encoding: 'utf8'}).trim();
    symlinkSync(found, join(place, tool));
  }
  return place;
}

async function expectFailure(
  args: readonly string[],
  code: string,
  exitCode: number,
  words: RegExp,
  environment: Record<string, string> = {},
): Promise<void> {
  const done = await flashfreezeJson(args, {environment});
  expect(done.stderr).toContain(`flashfreeze: error[${code}]: `);
  expect(done.stderr).toMatch(words);
  expect(done.stderr).toMatch(/^\s*hint: \S/m);
  expect(done.exitCode).toBe(exitCode);
  expect(done.summary).toMatchObject({type: 'summary', ok: false});
}

describe('invalid arguments', () => {
  test('a directory that is not CPython', async () => {
    const args = ['build', '--source', folder, '--build-dir', join(folder, 'b1')];
    await expectFailure(args, 'SOURCE_TREE', 2, /is not a CPython source tree/);
  });

  test('a CPython of an unsupported version', async () => {
    const source = join(folder, 'python-3.9');
    for (const file of ['configure', 'Makefile.pre.in', 'Lib/os.py', 'Programs/python.c']) {
      mkdirSync(dirname(join(source, file)), {recursive: true});
      writeFileSync(join(source, file), '');
    }
    mkdirSync(join(source, 'Include'));
    writeFileSync(
      join(source, 'Include/patchlevel.h'),
      '#define PY_MAJOR_VERSION 3\n#define PY_MINOR_VERSION 9\n#define PY_MICRO_VERSION 7\n' +
        '#define PY_RELEASE_LEVEL PY_RELEASE_LEVEL_FINAL\n#define PY_RELEASE_SERIAL 0\n#define PY_VERSION "3.9.7"\n',
    );
    const args = ['build', '--source', source, '--build-dir', join(folder, 'b2')];
    await expectFailure(args, 'PYTHON_VERSION', 2, /3\.9 .*\n(.*\n)*.*3\.10, 3\.11, 3\.12, 3\.13/);
  });

  test('a build directory inside the source tree', async () => {
    const args = ['build', '--source', tree.source, '--build-dir', join(tree.source, 'build')];
    await expectFailure(args, 'OUTPUT', 2, /inside the source tree/);
    expect(existsSync(join(tree.source, 'build'))).toBe(false);
  });

  test('an option that does not exist', async () => {
    await expectFailure(['build', '--sauce', tree.source], 'USAGE', 2, /sauce/);
  });
});

describe('missing tools', () => {
  test('no C compiler', async () => {
    const path = pathWith('no-compiler', ['make', 'sh', 'uname']);
    const args = ['build', '--source', tree.source, '--build-dir', join(folder, 'b3')];
    await expectFailure(args, 'NO_COMPILER', 1, /C compiler/, {PATH: path});
  });

  test('no make', async () => {
    const path = pathWith('no-make', ['gcc', 'as', 'ld', 'sh', 'uname']);
    const args = ['build', '--source', tree.source, '--build-dir', join(folder, 'b4')];
    await expectFailure(args, 'NO_MAKE', 1, /make/, {PATH: path});
  });
});

describe('on a built tree', () => {
  const build = (...more: string[]): string[] => [
    ...['build', '--source', tree.source, '--build-dir', tree.buildDir, '--startup', ...more],
  ];
  beforeAll(async () => {
    expect((await flashfreezeJson(build())).summary).toMatchObject({ok: true});
  }, 30 * 60_000);

  test('a module that does not exist', async () => {
    await expectFailure(build('--module', 'jsn'), 'NO_MODULE', 2, /jsn/);
  }, 60_000);

  test('an output directory that cannot be written', async () => {
    const sources = readdirSync(tree.buildDir);
    await expectFailure(build('--out', '/proc/nowhere/python'), 'OUTPUT', 2, /\/proc\/nowhere\/python/);
    expect(readdirSync(tree.buildDir)).toEqual(sources);
  }, 60_000);

  test('an output that is not a file, such as /dev/null', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expectFailure(build('--out', pipe), 'OUTPUT', 2, /pipe is not a file/);
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  }, 60_000);

  test('a second run on the same build directory exits with code 4 and names the first', async () => {
    let other: Promise<{exitCode: number | null; stderr: string}> | undefined;
    const first = await flashfreezeJson([...build(), '--trace', '-c "import time; time.sleep(8)"'], {
      onOutput: (child, stdout) => {
        if (other !== undefined || !stdout.includes('"id":"discover:modules"')) return;
        other = flashfreeze(build()).then((done) => {
          expect(done.stderr).toContain(String(child.pid));
          return done;
        });
      },
    });
    expect(first.summary).toMatchObject({ok: true});
    const second = await other;
    expect(second?.exitCode).toBe(4);
    expect(second?.stderr).toContain('error[LOCKED]');
  }, 120_000);
});

/** Of make, at once. */
const JOBS = 2;

test(
  'Ctrl-C in the middle of make: nothing is left running, and the next run goes on',
  async () => {
    const buildDir = join(folder, 'interrupted');
    const objects = (): string[] =>
      existsSync(join(buildDir, 'cpython', 'Objects'))
        ? readdirSync(join(buildDir, 'cpython', 'Objects')).filter((name) => name.endsWith('.o'))
        : [];
    const timeOf = (name: string): number =>
      statSync(join(buildDir, 'cpython', 'Objects', name), {throwIfNoEntry: false})?.mtimeMs ?? 0;
    /**
     * Whether objects are so much older than the newest that they are kept (half-written.ts, WINDOW_MS), however fast make is. It removes those that it
     * is at work on.
     */
    const hasOldObjects = (): boolean => {
      const times = objects()
        .map(timeOf)
        .filter((time) => time > 0)
        .sort((a, b) => a - b);
      const finished = times.slice(0, -JOBS);
      return (finished.at(-1) ?? 0) - (finished[0] ?? 0) > 3000;
    };
    const interruptAt = async (count: number) => {
      let interrupted = false;
      const poll = {timer: undefined as NodeJS.Timeout | undefined};
      const done = await flashfreezeJson(
        ['build', '--source', tree.source, '--build-dir', buildDir, '--startup', '--jobs', `${JOBS}`],
        {
          onOutput: (child) => {
            poll.timer ??= setInterval(() => {
              if (interrupted || objects().length < count || !hasOldObjects()) return;
              interrupted = true;
              child.kill('SIGINT');
            }, 100);
          },
        },
      );
      clearInterval(poll.timer);
      return done;
    };

    const first = await interruptAt(5);
    expect(first.exitCode).toBe(130);
    expect(first.stderr).toContain('error[INTERRUPTED]');
    const running = execFileSync('ps', ['-eo', 'args'], {encoding: 'utf8'})
      .split('\n')
      .filter((line) => line.includes(buildDir));
    expect(running).toEqual([]);

    const stamps = new Map(objects().map((name) => [name, timeOf(name)]));
    const second = await interruptAt(stamps.size + 4);
    expect(second.exitCode).toBe(130);
    expect(
      second.events.filter(({id, type}) => id === 'configure:python' && type === 'action-started'),
    ).toEqual([]);
    // What make was writing when it was told to end is made again; everything older is kept.
    const kept = [...stamps].filter(([name, stamp]) => timeOf(name) === stamp);
    expect(kept.length).toBeGreaterThan(0);
  },
  20 * 60_000,
);
