/** Real files, and the real chokidar. */
import {mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {watch} from 'chokidar';
import type {EventInput} from '../../../src/model/events.js';
import {scopeOf} from '../../../src/watch/scope.js';
import {type Watcher, createWatcher} from '../../../src/watch/watcher.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

jest.setTimeout(60_000);
let folder: string;
let seen: string[];
let events: EventInput[];
let watcher: Watcher | undefined;

const at = (name: string): string => join(folder, name);
const write = (name: string, text: string): void => {
  writeFileSync(at(name), text);
};
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

beforeEach(() => {
  folder = temporaryDirectory('watcher');
  seen = [];
  events = [];
  mkdirSync(at('pk'));
  mkdirSync(at('other'));
  for (const name of ['a.py', 'b.py', 'pk/__init__.py', 'pk/c.py', 'other/d.py', 'notes.txt'])
    write(name, '');
});
afterEach(async () => {
  await watcher?.close();
});

async function start(
  poll: boolean,
  open?: typeof watch,
  sources: readonly string[] = ['a.py', 'b.py', 'pk/__init__.py', 'pk/c.py'],
): Promise<void> {
  watcher = createWatcher(
    {
      poll,
      events: {emit: (event) => events.push(event)},
      onChange: (path, kind) => {
        if (!path.startsWith(folder)) throw new Error(path);
        seen.push(`${kind} ${path.slice(folder.length + 1)}`);
      },
    },
    open,
  );
  await watcher.watch(scopeOf(sources.map(at), [at('out')]));
  // The times of files have to differ, also on file systems that count in jiffies.
  await pause(50);
}

/** Waits until a change was told. */
async function told(change: string): Promise<void> {
  for (let i = 0; i < 500 && !seen.includes(change); i += 1) await pause(20);
  expect(seen).toContain(change);
}

describe.each([
  ['told by the system', false],
  ['polling', true],
])('%s', (_name, poll) => {
  test('existing and unrelated files are not reported', async () => {
    await start(poll);
    write('notes.txt', 'x');
    write('other/d.py', 'x');
    mkdirSync(at('__pycache__'));
    write('__pycache__/a.cpython-313.pyc', 'x');
    write('out', 'x');
    write('a.py', 'the last');
    await told('written a.py');
    expect(seen.filter((change) => change !== 'written a.py')).toEqual([]);
  });

  test('a link that is switched to another release, and what changes there afterwards', async () => {
    for (const release of ['1', '2']) {
      mkdirSync(at(`releases/${release}/app`), {recursive: true});
      write(`releases/${release}/app/run.py`, release);
    }
    symlinkSync('releases/1', at('current'));
    await start(poll, watch, ['current/app/run.py']);
    symlinkSync('releases/2', at('next'));
    renameSync(at('next'), at('current'));
    await told('written current');
    // As after the build that follows.
    await watcher?.watch(scopeOf([at('current/app/run.py')], []));
    await pause(50);
    write('releases/2/app/run.py', 'edited');
    await told('written current/app/run.py');
  });

  test('a file that is repeatedly replaced by a rename', async () => {
    await start(poll);
    for (const text of ['1', '22', '333']) {
      seen = [];
      write('.a.py.new', text);
      renameSync(at('.a.py.new'), at('a.py'));
      await told('written a.py');
      await pause(100);
    }
  });

  test('a file that is removed, and made again', async () => {
    await start(poll);
    rmSync(at('pk/c.py'));
    await told('removed pk/c.py');
    await pause(150);
    write('pk/c.py', 'again');
    await told('written pk/c.py');
    seen = [];
    await pause(150);
    write('pk/c.py', 'and again');
    await told('written pk/c.py');
  });

  test('a package that is removed, and made again', async () => {
    await start(poll);
    rmSync(at('pk'), {recursive: true});
    await told('removed pk');
    await pause(200);
    mkdirSync(at('pk'));
    await told('written pk');
    await pause(200);
    write('pk/c.py', 'again');
    await told('written pk/c.py');
  });

  test('a new file, and one in a new package', async () => {
    await start(poll);
    write('fresh.py', 'x');
    await told('written fresh.py');
    mkdirSync(at('new_package'));
    await told('written new_package');
    await pause(200);
    write('new_package/__init__.py', 'x');
    await told('written new_package/__init__.py');
  });

  test('a directory that is added later', async () => {
    await start(poll);
    await watcher?.watch(scopeOf([at('other/d.py')], []));
    await pause(500);
    write('other/d.py', 'changed');
    await told('written other/d.py');
    write('a.py', 'still');
    await told('written a.py');
  });

  test('a file whose time alone changes', async () => {
    await start(poll);
    const later = new Date(Date.now() + 10_000);
    utimesSync(at('b.py'), later, later);
    await told('written b.py');
  });
});

test.each(['ENOSPC', 'EMFILE'])(
  'at the limit of the system (%s), it polls, with one warning',
  async (code) => {
    let opened = 0;
    const limited = ((paths: string[], options: Parameters<typeof watch>[1]) => {
      const real = watch(paths, options);
      opened += 1;
      if (options?.usePolling !== true) {
        const error = Object.assign(new Error(`${code}: watch`), {code});
        process.nextTick(() => {
          for (let i = 0; i < 3; i += 1) real.emit('error', error);
        });
      }
      return real;
    }) as typeof watch;
    await start(false, limited);
    expect(watcher?.isPolling()).toBe(true);
    expect(opened).toBe(2);
    expect(events).toEqual([
      {
        type: 'warning',
        message: expect.stringMatching(`limit of watched files is reached \\(${code}\\)`),
        hint: expect.stringContaining('fs.inotify.max_user_watches'),
      },
    ]);
    write('a.py', 'changed');
    await told('written a.py');
  },
);

test('other errors are reported, and nothing else', async () => {
  let real: ReturnType<typeof watch> | undefined;
  await start(false, ((paths: string[], options: Parameters<typeof watch>[1]) => {
    real = watch(paths, options);
    return real;
  }) as typeof watch);
  real?.emit('error', Object.assign(new Error('EIO: watch'), {code: 'EIO'}));
  expect(events).toEqual([{type: 'warning', message: 'watching for changes: EIO: watch'}]);
  expect(watcher?.isPolling()).toBe(false);
});
