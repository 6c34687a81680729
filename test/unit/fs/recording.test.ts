import {mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {checkPaths} from '../../../src/fs/memo.js';
import {statFile} from '../../../src/fs/path-state.js';
import {
  existsSync,
  isFileSync,
  readdir,
  readEntries,
  readFile,
  readlink,
  readTree,
  realpath,
  recordWritten,
} from '../../../src/fs/recorded-fs.js';
import {currentRecording, Recording, withoutRecording} from '../../../src/fs/recording.js';
import {runProcess} from '../../../src/exec/process.js';
import {digestOf} from '../../../src/model/digest.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const root = temporaryDirectory('recording');
let count = 0;

/** A directory with a file, a directory and a link. */
function place(): string {
  count += 1;
  const path = join(root, String(count));
  mkdirSync(join(path, 'directory', 'inner'), {recursive: true});
  writeFileSync(join(path, 'file'), 'content');
  writeFileSync(join(path, 'directory', 'inner', 'deep.h'), '');
  symlinkSync('file', join(path, 'link'));
  return path;
}

async function record(read: () => unknown): Promise<Recording> {
  const recording = new Recording();
  await recording.run(async () => {
    await read();
  });
  return recording;
}

/** Whether everything is as it was recorded. */
function holds(recording: Recording): boolean {
  return checkPaths(recording.paths()) !== undefined;
}

const changes: readonly (readonly [string, (path: string) => unknown, (path: string) => void])[] = [
  [
    'an edit',
    (path) => readFile(join(path, 'file')),
    (path) => {
      writeFileSync(join(path, 'file'), 'CONTENT');
    },
  ],
  [
    'a file that is gone',
    (path) => existsSync(join(path, 'file')),
    (path) => {
      unlinkSync(join(path, 'file'));
    },
  ],
  [
    'a file that was missing',
    (path) => readFile(join(path, 'new')).catch(() => undefined),
    (path) => {
      writeFileSync(join(path, 'new'), '');
    },
  ],
  [
    'a new entry',
    (path) => readdir(path),
    (path) => {
      writeFileSync(join(path, 'new'), '');
    },
  ],
  [
    'an entry of another kind',
    (path) => readEntries(path),
    (path) => {
      unlinkSync(join(path, 'file'));
      mkdirSync(join(path, 'file'));
    },
  ],
  [
    'a new file far below',
    (path) => readTree(path),
    (path) => {
      writeFileSync(join(path, 'directory', 'inner', 'new.h'), '');
    },
  ],
  [
    'a link to another file',
    (path) => readlink(join(path, 'link')),
    (path) => {
      unlinkSync(join(path, 'link'));
      symlinkSync('directory', join(path, 'link'));
    },
  ],
  [
    'a link in the real path',
    (path) => realpath(join(path, 'link')),
    (path) => {
      unlinkSync(join(path, 'link'));
      symlinkSync('directory', join(path, 'link'));
    },
  ],
  [
    'a directory in the place of a file',
    (path) => isFileSync(join(path, 'file')),
    (path) => {
      unlinkSync(join(path, 'file'));
      mkdirSync(join(path, 'file'));
    },
  ],
];

test.each(changes)('%s is noticed', async (_name, read, change) => {
  const path = place();
  const recording = await record(() => read(path));
  expect(recording.paths().length).toBeGreaterThan(0);
  expect(holds(recording)).toBe(true);
  change(path);
  expect(holds(recording)).toBe(false);
});

test('what changed moments before is compared by its content, until its state can be relied on', async () => {
  const file = join(place(), 'file');
  const recording = await record(() => readFile(file));
  const [recorded] = recording.paths();
  expect(recorded).toMatchObject({path: file, content: digestOf('content')});
  // An edit within the resolution of the file's times would leave the state as it is.
  const {state} = recorded ?? {state: ''};
  const edited = [{path: file, aspect: 'file' as const, state, content: digestOf('CONTENT')}];
  expect(checkPaths(edited)).toBeUndefined();
  while (statFile(file)?.settled !== true) await new Promise((wake) => setTimeout(wake, 10));
  expect(checkPaths(recording.paths())).toEqual([{path: file, aspect: 'file', state, content: null}]);
});

test('what is written in the end replaces what was read before, in every aspect', async () => {
  const path = place();
  const out = join(path, 'out');
  const recording = await record(async () => {
    existsSync(out);
    await realpath(out).catch(() => undefined);
    writeFileSync(out, 'made');
    recordWritten(out);
  });
  expect(recording.paths().map(({aspect}) => aspect)).toEqual(['file']);
  expect(holds(recording)).toBe(true);
  writeFileSync(out, 'MADE');
  expect(holds(recording)).toBe(false);
});

test('what changed while it was read never holds', async () => {
  const path = place();
  const recording = await record(async () => {
    await readdir(path);
    writeFileSync(join(path, 'new'), '');
    await readdir(path);
  });
  expect(holds(recording)).toBe(false);
  rmSync(join(path, 'new'));
  expect(holds(recording)).toBe(false);
});

test('runs that overlap have recordings of their own; actions are not recorded', async () => {
  const path = place();
  const [one, other] = await Promise.all([
    record(() => readFile(join(path, 'file'))),
    record(async () => {
      await withoutRecording(async () => {
        expect(currentRecording()).toBeUndefined();
        await readFile(join(path, 'file'));
      });
      await readdir(path);
    }),
  ]);
  expect(one.paths().map(({aspect}) => aspect)).toEqual(['file']);
  expect(other.paths().map(({aspect}) => aspect)).toEqual(['entries']);
});

test('a process leaves a gap, unless something else accounts for it', async () => {
  const signal = new AbortController().signal;
  const runTrue = () => runProcess({file: '/bin/true', args: [], cwd: '/', environment: {}, signal});
  expect((await record(runTrue)).gap()).toBe('/bin/true ran');
  expect((await record(() => withoutRecording(runTrue))).gap()).toBeUndefined();
});
