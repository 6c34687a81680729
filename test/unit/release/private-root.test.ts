import {execFileSync, spawnSync} from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {ENTER_PRIVATE_ROOT, NAMESPACES, privateRootCommand} from '../../../src/release/private-root.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {describeWith} from '../../support/with.js';

const folder = realpathSync(temporaryDirectory('private-root'));
const MACHINE = ['/bin', '/usr', '/lib', '/lib64', '/proc', '/dev/null'].filter(isDirectoryOrDevice);
const usable = NAMESPACES.filter(
  (words) => spawnSync('unshare', [...words, 'mount', '-t', 'tmpfs', 'x', '/mnt']).status === 0,
);

function isDirectoryOrDevice(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false}) !== undefined;
}

/** An empty directory. */
function emptyRoot(name: string): string {
  const root = join(folder, name);
  mkdirSync(root);
  return root;
}

/** What nothing here may change: the mounts of this machine, and its devices. */
function machineState(): unknown {
  const devices = readdirSync('/dev').map((name) => {
    const {dev, ino, mode, rdev} = statSync(join('/dev', name), {throwIfNoEntry: false}) ?? {};
    return [name, dev, ino, mode, rdev];
  });
  const top = readdirSync('/').map((name) => [name, statSync(join('/', name)).ino]);
  return {devices, top, mounts: readFileSync('/proc/self/mountinfo', 'utf8')};
}

describe('the command refuses', () => {
  const fine = {source: folder, target: '/a'};

  test.each(['', '/', '//', '.', 'root', '/dev/..', '/tmp/../', '/tmp//x', '/tmp/x/', '/tmp/./x'])(
    'the root %j',
    (root) => {
      expect(privateRootCommand(root, [fine], [])).toMatchObject({ok: false, failure: {code: 'USAGE'}});
    },
  );

  test.each(['', '/', 'dev/null', '/../dev/null', '/x/../../dev', '/dev/', '//dev'])(
    'the target and the source %j',
    (path) => {
      for (const each of [
        {source: folder, target: path},
        {source: path, target: '/a'},
      ]) {
        expect(privateRootCommand('/srv/root', [each], [])).toMatchObject({ok: false});
      }
    },
  );

  test.each([
    ['/opt/python', '/opt/python/lib/libc.so.6'],
    ['/lib64/ld.so', '/lib64'],
    ['/a', '/a'],
  ])('%s beside %s', (one, other) => {
    const mounts = [one, other].map((target) => ({source: folder, target}));
    expect(privateRootCommand('/srv/root', mounts, [])).toMatchObject({
      ok: false,
      failure: {message: expect.stringContaining('lies in it')},
    });
  });

  test('nothing that has a similar name', () => {
    const mounts = ['/opt/python', '/opt/python3', '/opt/py'].map((target) => ({source: folder, target}));
    expect(privateRootCommand('/srv/root', mounts, [])).toMatchObject({ok: true});
  });
});

describeWith(usable.length > 0, 'namespaces in which one may mount')('the script', () => {
  const [words = []] = usable;
  const enter = (...args: readonly string[]) =>
    spawnSync(
      'unshare',
      [...words, '--propagation', 'private', 'sh', '-c', ENTER_PRIVATE_ROOT, 'sh', ...args],
      {encoding: 'utf8', cwd: folder},
    );

  test.each([
    ['no argument', () => []],
    ['an empty root', () => ['', '/dev/null', '/dev/null', 'rw', '--', 'true']],
    ['the root directory', () => ['/', '/dev/null', '/dev/null', 'rw', '--', 'true']],
    ['/dev', () => ['/dev', '/dev/null', '/null', 'rw', '--', 'true']],
    ['the root directory in other words', () => ['//', '/dev/null', '/dev/null', 'rw', '--', 'true']],
    ['a relative path', () => ['.', '/dev/null', '/dev/null', 'rw', '--', 'true']],
    [
      'a directory that is not there',
      () => [join(folder, 'gone'), '/dev/null', '/dev/null', 'rw', '--', 'true'],
    ],
    [
      'a link to the root directory',
      () => [join(folder, 'link'), '/dev/null', '/dev/null', 'rw', '--', 'true'],
    ],
    ['a directory with a file', () => [join(folder, 'full'), '/dev/null', '/dev/null', 'rw', '--', 'true']],
    ['an empty target', () => [emptyRoot('r1'), '/dev/null', '', 'rw', '--', 'true']],
    ['a relative target', () => [emptyRoot('r2'), '/dev/null', 'dev/null', 'rw', '--', 'true']],
    ['a missing target', () => [emptyRoot('r3'), '/dev/null']],
    [
      'the same target twice',
      () => [emptyRoot('r4'), '/dev/null', '/n', 'rw', '/dev/null', '/n', 'rw', '--', 'true'],
    ],
    ['a source that is not there', () => [emptyRoot('r5'), '/gone/source', '/n', 'rw', '--', 'true']],
  ])('ends at %s, and leaves the machine as it was', (name, argumentsOf) => {
    if (name === 'a link to the root directory') symlinkSync('/', join(folder, 'link'));
    if (name === 'a directory with a file') {
      mkdirSync(join(folder, 'full'));
      writeFileSync(join(folder, 'full/file'), 'kept');
    }
    const args = argumentsOf();
    const before = machineState();
    expect(enter(...args).status).not.toBe(0);
    expect(machineState()).toEqual(before);
  });

  test.each(usable.map((namespaces) => ({namespaces})))(
    'shows mounts to its command alone: $namespaces',
    ({namespaces}) => {
      const root = emptyRoot(`shown${namespaces.length}`);
      const file = join(folder, `a file ${namespaces.length}`);
      writeFileSync(file, 'content');
      const mounts = [
        ...MACHINE.map((path) => ({source: path, target: path})),
        {source: file, target: '/some where/$root "x"/file'},
        {source: folder, target: '/kept', isReadOnly: true},
      ];
      const command = privateRootCommand(root, mounts, namespaces);
      if (!command.ok) throw new Error(command.failure.message);
      const before = machineState();
      const code =
        'cd /; ls; cat "/some where/"*/file; echo x > /dev/null; echo written > /dev/zero; ls /dev; touch /kept/new 2>/dev/null || echo kept';
      const [first, ...rest] = [...command.value, '/usr/sbin/chroot', '.', '/bin/sh', '-c', code];
      const shown = execFileSync(first, rest, {encoding: 'utf8'}).split('\n');
      const names = MACHINE.flatMap((path) => path.split('/').slice(1, 2));
      expect(shown.filter((line) => line !== '')).toEqual([
        ...[...new Set([...names, 'some where', 'kept'])].sort(),
        'content' + 'null',
        'zero',
        'kept',
      ]);
      expect(machineState()).toEqual(before);
      expect(readdirSync(root)).toEqual([]);
    },
  );
});
