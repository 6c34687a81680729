/** A source tree that was unpacked before, and edited since: it is what its archive holds, or it is unpacked again. */
import {execFileSync, spawnSync} from 'node:child_process';
import {
  chmodSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {unpack} from '../../../../src/cpython/source/archives.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const run = {environment: {PATH: process.env['PATH'] ?? ''}, signal: new AbortController().signal};
/** Names that `tar --compare` prints in lines that look like harmless differences. */
const NAMES = ['configure', 'Lib/os.py', 'Lib/sub/a.py', 'x: Mode differs', 'Mod time differs', 'a\nb'];
let folder: string;
let archive: string;
let original: string;
let tree: string;
beforeEach(async () => {
  folder = temporaryDirectory();
  [archive, original, tree] = [join(folder, 'a.tar'), join(folder, 'original'), join(folder, 'tree')];
  const made = join(folder, 'Python');
  mkdirSync(join(made, 'Lib/sub'), {recursive: true});
  mkdirSync(join(made, 'empty'));
  for (const name of NAMES) writeFileSync(join(made, name), 'good text');
  symlinkSync('Lib/os.py', join(made, 'link'));
  execFileSync('tar', ['-c', '-f', archive, '-C', folder, 'Python']);
  renameSync(made, original);
  expect(await unpack(archive, tree, run)).toEqual({ok: true});
});

/** An edit that size and time do not show. */
function edit(path: string): void {
  const {atime, mtime} = statSync(path);
  writeFileSync(path, 'evil text');
  utimesSync(path, atime, mtime);
}
const inTree = (name: string): string => join(tree, name);
const elsewhere = (name: string): string => join(folder, name);

const edits: Readonly<Record<string, () => void>> = {
  'by a hard link elsewhere'() {
    linkSync(inTree('Lib/os.py'), elsewhere('other'));
    edit(elsewhere('other'));
  },
  'with a directory that became a link'() {
    renameSync(inTree('Lib'), elsewhere('Lib'));
    symlinkSync(elsewhere('Lib'), inTree('Lib'));
  },
  'with a file that became a link'() {
    renameSync(inTree('configure'), elsewhere('configure'));
    symlinkSync(elsewhere('configure'), inTree('configure'));
  },
  'with a file that became a FIFO'() {
    rmSync(inTree('configure'));
    execFileSync('mkfifo', [inTree('configure')]);
  },
  'with a link that leads elsewhere'() {
    rmSync(inTree('link'));
    symlinkSync('/etc/passwd', inTree('link'));
  },
  'with a link to nowhere'() {
    symlinkSync('/nowhere', inTree('Makefile'));
  },
  'with an empty directory more'() {
    mkdirSync(inTree('Lib/more'));
  },
  'with a FIFO more'() {
    execFileSync('mkfifo', [inTree('Lib/more')]);
  },
  'with a name of two lines of the list'() {
    writeFileSync(inTree('configure\nlink'), '');
  },
  'with a name that is a part of another one'() {
    writeFileSync(inTree('b'), '');
  },
  'with a name that is not UTF-8'() {
    writeFileSync(Buffer.from(`${tree}/\u00ff`, 'latin1'), '');
  },
  'as a whole, behind a link'() {
    cpSync(tree, elsewhere('other'), {recursive: true, preserveTimestamps: true, verbatimSymlinks: true});
    rmSync(tree, {recursive: true});
    symlinkSync(elsewhere('other'), tree);
    edit(elsewhere('other/configure'));
  },
  ...Object.fromEntries(
    NAMES.map((name) => [
      `in ${JSON.stringify(name)}`,
      () => {
        edit(inTree(name));
      },
    ]),
  ),
};

test.each(Object.entries(edits))('a tree that was edited %s', async (_, change) => {
  change();
  expect(await unpack(archive, tree, run)).toEqual({ok: true});
  expect(lstatSync(tree).isDirectory()).toBe(true);
  const compared = spawnSync('diff', ['-r', '--no-dereference', original, tree], {encoding: 'utf8'});
  expect(compared).toMatchObject({status: 0, stdout: '', stderr: ''});
});

test('a tree with other permissions only stays', async () => {
  rmSync(tree, {recursive: true});
  mkdirSync(elsewhere('Python'));
  writeFileSync(elsewhere('Python/configure'), 'good text');
  execFileSync('tar', ['-c', '-f', archive, '-C', folder, 'Python']);
  expect(await unpack(archive, tree, run)).toEqual({ok: true});
  const {ino} = statSync(inTree('configure'));
  // No other file gets its number.
  linkSync(inTree('configure'), elsewhere('kept'));
  chmodSync(inTree('configure'), 0o600);
  expect(await unpack(archive, tree, run)).toEqual({ok: true});
  expect(statSync(inTree('configure')).ino).toBe(ino);
});
