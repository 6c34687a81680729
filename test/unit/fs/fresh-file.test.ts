/** Files that programs write, in directories in which others may write, too. */
import {execFileSync, spawn} from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {writeFileAtomic} from '../../../src/fs/files.js';
import {
  emptyFile,
  replaceByProgram,
  withPrivateFolder,
  writeFileAtomicSync,
} from '../../../src/fs/fresh-file.js';
import {fail, ok, type Result} from '../../../src/model/result.js';
import {eventually} from '../../support/processes.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {describeWith} from '../../support/with.js';

let folder: string;
let out: string;
beforeEach(() => {
  folder = temporaryDirectory();
  out = join(folder, 'out');
});

/** What the program writes: `echo` opens its output by name, as a linker does. */
const echo = (path: string): Promise<Result<void>> => {
  execFileSync('sh', ['-c', 'echo new > "$0"', path]);
  return Promise.resolve(ok());
};

describe('a file that a program writes', () => {
  test('is written in a directory that nobody else may enter, and checked beside the old one', async () => {
    writeFileSync(out, 'old');
    const seen: string[] = [];
    const done = await replaceByProgram(out, {
      write: (path) => {
        seen.push(path);
        expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
        expect(basename(path)).toBe('out');
        return echo(path);
      },
      check: (path) => {
        seen.push(path);
        expect(readFileSync(path, 'utf8')).toBe('new\n');
        expect(readFileSync(out, 'utf8')).toBe('old');
        return Promise.resolve(ok());
      },
    });
    expect(done).toEqual({ok: true});
    expect(readFileSync(out, 'utf8')).toBe('new\n');
    expect(seen.map((path) => (dirname(path) === folder ? 'beside' : dirname(dirname(path))))).toEqual([
      folder,
      'beside',
    ]);
    expect(readdirSync(folder)).toEqual(['out']);
  });

  test('has another name each time', async () => {
    const names = new Set<string>();
    for (let i = 0; i < 50; i++) {
      await withPrivateFolder(folder, (path) => Promise.resolve(ok(names.add(basename(path)))));
    }
    expect(names.size).toBe(50);
    for (const name of names) expect(name).toMatch(/^\.new-\d+-[0-9a-f]{24}$/);
  });

  test.each(['write', 'check'] as const)('stays the old one when %s fails', async (what) => {
    writeFileSync(out, 'old');
    const failing = (): Promise<Result<void>> => Promise.resolve(fail('LINK', 'no'));
    const done = await replaceByProgram(
      out,
      what === 'write' ? {write: failing} : {write: echo, check: failing},
    );
    expect(done).toMatchObject({failure: {code: 'LINK'}});
    expect(readFileSync(out, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['out']);
  });

  test('cannot replace a directory', async () => {
    mkdirSync(out);
    expect(await replaceByProgram(out, {write: echo})).toMatchObject({failure: {code: 'IO'}});
    expect(readdirSync(folder)).toEqual(['out']);
  });

  test('replaces a link, not what it leads to', async () => {
    writeFileSync(join(folder, 'precious'), 'precious');
    symlinkSync('precious', out);
    expect(await replaceByProgram(out, {write: echo})).toEqual({ok: true});
    expect(lstatSync(out).isFile()).toBe(true);
    expect(readFileSync(join(folder, 'precious'), 'utf8')).toBe('precious');
  });
});

describe('an empty file', () => {
  test.each(['nothing', 'a file', 'a FIFO', 'a link', 'a socket'])('takes the place of %s', async (what) => {
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'precious');
    if (what === 'a file') writeFileSync(out, 'old');
    if (what === 'a FIFO') execFileSync('mkfifo', [out]);
    if (what === 'a link') symlinkSync(precious, out);
    if (what === 'a socket') execFileSync('python3', ['-c', SOCKET, out]);
    expect(await emptyFile(out)).toEqual({ok: true});
    expect(readFileSync(out, 'utf8')).toBe('');
    expect(lstatSync(out).isFile()).toBe(true);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
  });

  test('does not take the place of a directory', async () => {
    mkdirSync(out);
    expect(await emptyFile(out)).toMatchObject({failure: {code: 'IO'}});
  });
});

const SOCKET = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';

describe('a report', () => {
  test.each(['FIFO', 'directory'])('does not replace a %s', (what) => {
    if (what === 'FIFO') execFileSync('mkfifo', [out]);
    else mkdirSync(out);
    expect(writeFileAtomicSync(out, 'report', 'the report')).toMatchObject({failure: {code: 'IO'}});
    expect(lstatSync(out).isFile()).toBe(false);
    expect(readdirSync(folder)).toEqual(['out']);
  });
});

describeWith(process.getuid?.() === 0, 'the right to be several users')('in a sticky directory', () => {
  const OTHER = 64_001;
  /** Puts a link to a file of the victim at each name that might be opened next, as fast as it can. */
  const ATTACK = `
import fs from 'node:fs';
const [folder, precious, ready] = process.argv.slice(1);
fs.writeFileSync(ready, '');
for (;;) for (const name of fs.readdirSync(folder)) {
  if (!name.startsWith('.new')) continue;
  for (const path of [name, name + '/out', name + '.new']) {
    try { fs.symlinkSync(precious, folder + '/' + path); } catch {}
  }
}`;

  test('no link of another user is followed', async () => {
    chmodSync(folder, 0o755);
    const shared = join(folder, 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'precious');
    // The names that earlier versions used.
    for (const name of ['out.new', `out.${process.pid}.new`]) symlinkSync(precious, join(shared, name));
    const attacker = spawn(
      process.execPath,
      ['--input-type=module', '-e', ATTACK, shared, precious, join(shared, 'ready')],
      {uid: OTHER, gid: OTHER, cwd: '/', stdio: 'ignore'},
    );
    try {
      expect(await eventually(() => existsSync(join(shared, 'ready')))).toBe(true);
      const target = join(shared, 'out');
      for (let round = 0; round < 8; round++) {
        expect(await replaceByProgram(target, {write: echo})).toEqual({ok: true});
        expect(await writeFileAtomic(target, 'own')).toEqual({ok: true});
        expect(writeFileAtomicSync(target, 'own', 'it')).toEqual({ok: true});
      }
      expect(readFileSync(precious, 'utf8')).toBe('precious');
      expect(readFileSync(target, 'utf8')).toBe('own');
      expect(lstatSync(target).isFile()).toBe(true);
    } finally {
      attacker.kill('SIGKILL');
    }
  }, 120_000);
});
