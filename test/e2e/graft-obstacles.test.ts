/** What keeps a graft from being made has its sentence and its hint, and leaves nothing half made. */
import {execFileSync, spawnSync} from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, jest, test} from '@jest/globals';
import {CACHE, PACKAGE, type Run, flashfreeze, run} from '../../support/rig.js';
import {findPythons, systemPython} from '../../support/pythons.js';
import {script} from '../support/fake-toolchain.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith, testWith} from '../support/with.js';

jest.setTimeout(5 * 60_000);
const folder = temporaryDirectory('graft-obstacles');
const hasPatchelf = spawnSync('patchelf', ['--version']).status === 0;
const python = findPythons().at(-1)?.python ?? '';
/** One with its libpython in the executable, which is larger than the library of a few images. */
const whole = systemPython()?.python ?? python;
const isWhole = statSync(whole).size > 4 << 20;
const unshare = ['--mount', '--propagation', 'private'];
const mayMount = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

const words = (executable: string, out: string): readonly string[] => [
  ...['relink', '--method', 'graft', '--python', executable, '--out', out, '--module', 'json', '--quiet'],
  ...['--build-dir', join(folder, 'build')],
];

/** Nothing is at `out`, nor beside it. */
function expectRefused(done: Run, out: string, message: RegExp, hint: RegExp): void {
  expect(done.exitCode).not.toBe(0);
  expect(done.stderr).toMatch(message);
  expect(done.stderr).toMatch(hint);
  expect(existsSync(dirname(out)) ? readdirSync(dirname(out)) : []).toEqual([]);
}

describeWith(hasPatchelf, 'patchelf')('a graft', () => {
  test('without patchelf', async () => {
    const path = join(folder, 'tools');
    mkdirSync(path);
    for (const tool of ['sh', 'cc', 'gcc', 'as', 'ld', 'getconf'])
      symlinkSync(
        execFileSync('sh', ['-c', `command -v ${tool}`], {encoding: 'utf8'}).trim(),
        join(path, tool),
      );
    const out = join(folder, 'without/python');
    const done = await flashfreeze(words(python, out), {environment: {PATH: path}});
    expectRefused(
      done,
      out,
      /error\[NO_TOOL\]: patchelf is not installed/,
      /hint: .*install the package patchelf/,
    );
  });

  test('of an executable for another machine', async () => {
    const foreign = join(folder, 'foreign');
    copyFileSync(python, foreign);
    const file = openSync(foreign, 'r+');
    writeSync(file, Uint8Array.of(process.arch === 'arm64' ? 62 : 183), 0, 1, 18); // e_machine
    closeSync(file);
    const out = join(folder, 'for-another/python');
    const done = await flashfreeze(words(foreign, out));
    expectRefused(
      done,
      out,
      /error\[PYTHON\]: cannot run .*: it is built for/,
      /hint: .*where that Python runs/,
    );
  });

  test('of a script that runs a Python is one of that Python', async () => {
    const wrapper = join(folder, 'wrapper');
    script(wrapper, `#!/bin/sh\nexec ${python} "$@"\n`);
    const out = join(folder, 'wrapped/python');
    expect(await flashfreeze(words(wrapper, out))).toMatchObject({exitCode: 0});
    const code = 'import json, _flashfreeze; print(_flashfreeze.is_static(json.loads.__code__))';
    expect(await run(out, ['-c', code])).toMatchObject({exitCode: 0, stdout: 'True\n'});
  });

  testWith(mayMount && isWhole, 'the right to mount, and an executable with libpython').each([
    ['the library', '300k', /error\[LINK\]: cannot link .*\/python-images\.so\n.*No space left/],
    [
      'the executable',
      // The library has a megabyte at least.
      `${Math.ceil(statSync(whole).size / 1024) + 512}k`,
      /error\[OUTPUT\]: cannot write .*\/full\/out\/python: no room left on the disk/,
    ],
  ])('on a disk that has no room for %s', async (_, size, message) => {
    const disk = join(folder, 'full');
    mkdirSync(disk, {recursive: true});
    const command = `mount -t tmpfs -o size=${size} none "$0" && mkdir "$0/out" && { "$@"; echo "$? $(ls -A "$0/out")"; }`;
    const done = await run(
      'unshare',
      [
        ...[...unshare, 'sh', '-c', command, disk],
        ...[
          process.execPath,
          join(PACKAGE, 'bin/flashfreeze.mjs'),
          ...words(whole, join(disk, 'out/python')),
        ],
      ],
      {environment: {FLASHFREEZE_CACHE_DIR: join(CACHE, 'store')}},
    );
    expect(done.stdout).toMatch(/^[12] \n$/);
    expect(done.stderr).toMatch(message);
    expect(done.stderr).toMatch(/hint: make room there, or choose another place/);
  });
});
