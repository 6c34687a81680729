import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {linkFlags, objectFlags} from '../../../../src/cpython/build/compile-flags.js';
import type {SysconfigVariables} from '../../../../src/cpython/interpreter/installation/installation.js';

/** What real Pythons have in their sysconfig. */
const recorded = (name: string): SysconfigVariables =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, '../../hosts/installed/installations', `${name}.json`), 'utf8'),
  ) as SysconfigVariables;

describe('objectFlags', () => {
  test('of pyenv: neither directories, nor placement, optimisation, debugging or warnings', () => {
    expect(objectFlags(recorded('pyenv-3.13.0').PY_CORE_CFLAGS)).toEqual([
      '-fno-strict-overflow',
      '-DNDEBUG',
      '-std=c11',
      '-fvisibility=hidden',
      '-DPy_BUILD_CORE',
    ]);
  });

  test('of Debian, whose directories are those of the machine that built it', () => {
    expect(objectFlags(recorded('debian-3.11.2').PY_CORE_CFLAGS)).toEqual([
      '-DNDEBUG',
      '-fstack-protector-strong',
      '-std=c11',
      '-fvisibility=hidden',
      '-D_FORTIFY_SOURCE=2',
      '-DPy_BUILD_CORE',
    ]);
  });

  test.each([
    ['-isystem /usr/x -pthread', ['-pthread']],
    ['-I /x -DA=1 -I/y', ['-DA=1']],
    ['-flto=auto -ffat-lto-objects -fprofile-use -fprofile-dir=/x -march=native', ['-march=native']],
    ['-specs=/usr/lib/rpm/redhat/redhat-hardened-cc1 -m64', ['-m64']],
    ['-fPIE -fno-plt -fpic -fpie -fno-PIC -fpic-option', ['-fpic-option']],
    [
      '-ffile-prefix-map=/build/x=. -fdebug-prefix-map=/a=b -fno-semantic-interposition',
      ['-fno-semantic-interposition'],
    ],
    ['-gdwarf -gnu-thing -MMD -std=gnu11', ['-gnu-thing', '-std=gnu11']],
  ])('%s', (flags, kept) => {
    expect(objectFlags(flags)).toEqual(kept);
  });
});

describe('linkFlags', () => {
  test('of Debian', () => {
    const {PY_CORE_LDFLAGS, LINKFORSHARED} = recorded('debian-3.11.2');
    expect(linkFlags(`${PY_CORE_LDFLAGS} ${LINKFORSHARED}`).join(' ')).toBe(
      '-g -fwrapv -O2 -Xlinker -export-dynamic -Wl,-O1 -Wl,-Bsymbolic-functions',
    );
  });

  test('leave placement and intermediate code to us, and keep the places of libraries', () => {
    expect(
      linkFlags(
        '-flto -fuse-linker-plugin -specs=/x -no-pie -pie -static-pie -fprofile-use -L/y -Wl,-rpath,/z',
      ),
    ).toEqual(['-L/y', '-Wl,-rpath,/z']);
  });
});
