import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {afterEach, describe, expect, test} from '@jest/globals';
import {readTar, tarOf, type TarEntry} from '../../../../src/release/archive/tar.js';
import {listTree, readEntry} from '../../../../src/release/archive/tree.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folders: string[] = [];
const folder = (): string => {
  const path = temporaryDirectory('release');
  folders.push(path);
  return path;
};
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, {recursive: true});
});

async function* entriesOf(root: string): AsyncGenerator<TarEntry> {
  for (const file of await listTree(root)) yield await readEntry(root, file);
}

const archiveOf = (root: string): Promise<Buffer> => buffer(tarOf(entriesOf(root), 315532800));
const read = (archive: Uint8Array): Promise<readonly TarEntry[]> => readTar(Readable.from([archive]));

const DEEP = `lib/${'folder/'.repeat(20)}module_with_a_long_name.py`;

/** The same installation, made in another order, at another time, with another umask. */
function makeTree(names: readonly string[], mode: number, time: number): string {
  const root = folder();
  for (const name of names) {
    const path = join(root, name);
    mkdirSync(join(path, '..'), {recursive: true});
    writeFileSync(path, `content of ${name}\n`);
    chmodSync(path, name.startsWith('bin/') ? mode | 0o100 : mode);
    utimesSync(path, time, time);
  }
  symlinkSync('python3.13', join(root, 'bin', 'python3'));
  return root;
}

describe('an archive', () => {
  const names = ['bin/python3.13', 'lib/b.py', 'lib/B.py', 'lib/ä.py', DEEP];

  test('is the same whatever the order, the time and the umask were', async () => {
    const first = await archiveOf(makeTree(names, 0o644, 1));
    const second = await archiveOf(makeTree([...names].reverse(), 0o600, 2_000_000_000));
    expect(second.equals(first)).toBe(true);
  });

  test('can be read by tar: owner root, one time for all, modes, links', async () => {
    const bytes = await archiveOf(makeTree(names, 0o640, 5));
    const listed = execFileSync('tar', ['--numeric-owner', '--utc', '-tvf', '-'], {
      input: bytes,
      env: {PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC'},
    }).toString();
    const lines = listed.trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line).toMatch(/ 0\/0 .* 1980-01-01 00:00 /);
    expect(lines[0]).toMatch(/^lrwxrwxrwx .* bin\/python3 -> python3\.13$/);
    expect(lines[1]).toMatch(/^-rwxr-xr-x /);
    expect(lines[2]).toMatch(/^-rw-r--r-- .* lib\/B\.py$/);
    expect(listed).toContain(DEEP);
  });

  test('is unpacked unchanged', async () => {
    const root = makeTree(names, 0o644, 5);
    const entries = await read(await archiveOf(root));
    const wanted = await Promise.all((await listTree(root)).map((file) => readEntry(root, file)));
    expect(entries).toEqual(wanted);
  });

  test('that is truncated is detected', async () => {
    const whole = await archiveOf(makeTree(names, 0o644, 5));
    await expect(read(whole.subarray(0, 1500))).rejects.toThrow('Unexpected end of data');
  });

  test('has room for paths of any length', async () => {
    const long = `lib/${'x'.repeat(150)}.py`;
    const archive = await archiveOf(makeTree([...names, long], 0o644, 5));
    expect((await read(archive)).map(({path}) => path)).toContain(long);
    expect(execFileSync('tar', ['-tf', '-'], {input: archive}).toString()).toContain(long);
  });

  test('that cannot be written fails with the reason', async () => {
    const missing: TarEntry[] = [{path: 'a', mode: 0o644, content: Buffer.from('a')}];
    async function* entries(): AsyncGenerator<TarEntry> {
      yield* missing;
      await Promise.reject(new Error('the disk is gone'));
    }
    await expect(buffer(tarOf(entries(), 0))).rejects.toThrow('the disk is gone');
  });
});
