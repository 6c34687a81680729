/** Real files, and the real chokidar. */
import {mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {watch} from 'chokidar';
import type {EventInput} from '../../../src/model/events.js';
import {scopeOf} from '../../../src/watch/scope.js';
import {type Watcher, createWatcher} from '../../../src/watch/watcher.js';
import {eventually} from '../../support/processes.js';
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
      ...{poll, pollMs: 50},
      events: {emit: (event) => events.push(event)},
      onChange: (path, kind) => {
        if (!path.startsWith(folder)) throw new Error(path);
        seen.push(`${kind} ${path.slice(folder.length + 1)}`);
      },
    },
    open,
  );
  await watcher.watch(scopeOf(sources.map(at), [at('out')]));
}

/** The directories are watched, whatever is still to come after the watcher's first look. */
async function startReady(poll: boolean): Promise<void> {
  await start(poll);
  for (const probe of PROBES) {
    await toldOf(`written ${probe}`, () => {
      rmSync(at(probe), {force: true});
      write(probe, '');
    });
  }
  seen = [];
}
const PROBES = ['probe.py', 'pk/probe.py'];

/** Waits until a change is reported. */
async function told(change: string): Promise<void> {
  await eventually(() => seen.includes(change));
  expect(seen).toContain(change);
}

/** How often a change is repeated until it is reported: only a broken watcher reports none of so many. */
const ATTEMPTS = 100;
const NEXT_ATTEMPT_MS = 300;

/**
 * Makes a change until it is reported. The first one can be missed: nothing says when a directory that was added later is watched, chokidar drops
 * what follows a change within 50 ms, and file systems give equal times to two changes in one tick of the clock.
 */
async function toldOf(change: string, make: (attempt: number) => void): Promise<void> {
  seen = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    make(attempt);
    if (await eventually(() => seen.includes(change), NEXT_ATTEMPT_MS)) return;
  }
  expect(seen).toContain(change);
}

/** Writes a file, with another length each time. */
async function toldOfWriting(name: string): Promise<void> {
  await toldOf(`written ${name}`, (attempt) => {
    write(name, 'x'.repeat(attempt + 1));
  });
}

/** Reports of earlier changes have arrived, and a new change is another one. */
async function nextTurn(): Promise<void> {
  await toldOfWriting('b.py');
  seen = [];
}

describe.each([
  ['notified by the system', false],
  ['polling', true],
])('%s', (_name, poll) => {
  test('existing and unrelated files are not reported', async () => {
    await startReady(poll);
    write('notes.txt', 'x');
    write('other/d.py', 'x');
    mkdirSync(at('__pycache__'));
    write('__pycache__/a.cpython-313.pyc', 'x');
    write('out', 'x');
    await toldOfWriting('a.py');
    const own = ['a.py', ...PROBES].flatMap((name) => [`written ${name}`, `removed ${name}`]);
    expect(seen.filter((change) => !own.includes(change))).toEqual([]);
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
    await toldOf('written current/app/run.py', (attempt) => {
      write('releases/2/app/run.py', 'edited'.repeat(attempt + 1));
    });
  });

  test('a file that is repeatedly replaced by a rename', async () => {
    await startReady(poll);
    for (const text of ['1', '22', '333']) {
      await toldOf('written a.py', (attempt) => {
        write('.a.py.new', text.repeat(attempt + 1));
        renameSync(at('.a.py.new'), at('a.py'));
      });
      await nextTurn();
    }
  });

  test('a file that is removed, and made again', async () => {
    await startReady(poll);
    await toldOfWriting('pk/c.py');
    rmSync(at('pk/c.py'));
    await told('removed pk/c.py');
    await toldOfWriting('pk/c.py');
    await nextTurn();
    await toldOfWriting('pk/c.py');
  });

  test('a package that is removed, and made again', async () => {
    await startReady(poll);
    rmSync(at('pk'), {recursive: true});
    await told('removed pk');
    mkdirSync(at('pk'));
    await told('written pk');
    await toldOfWriting('pk/c.py');
  });

  test('a new file, and one in a new package', async () => {
    await startReady(poll);
    write('fresh.py', 'x');
    await told('written fresh.py');
    mkdirSync(at('new_package'));
    await told('written new_package');
    await toldOfWriting('new_package/__init__.py');
  });

  test('a directory that is added later', async () => {
    await startReady(poll);
    await watcher?.watch(scopeOf([at('other/d.py')], []));
    await toldOfWriting('other/d.py');
    await toldOfWriting('a.py');
  });

  test('a file whose time alone changes', async () => {
    await startReady(poll);
    await toldOf('written b.py', (attempt) => {
      const later = new Date(Date.now() + 10_000 * (attempt + 1));
      utimesSync(at('b.py'), later, later);
    });
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
    // It opens another one, once the first is closed.
    expect(await eventually(() => opened === 2)).toBe(true);
    expect(events).toEqual([
      {
        type: 'warning',
        message: expect.stringMatching(`limit of watched files is reached \\(${code}\\)`),
        hint: expect.stringContaining('fs.inotify.max_user_watches'),
      },
    ]);
    await toldOfWriting('a.py');
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
