import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import type {SysconfigVariables} from '../../../../src/cpython/interpreter/installation/installation.js';
import {parseVersion} from '../../../../src/cpython/interpreter/version.js';
import type {InstalledToolchain} from '../../../../src/hosts/installed/installed-toolchain.js';
import {findStaticParts, linkCommand, wholeArchive} from '../../../../src/hosts/installed/static-parts.js';
import type {Target} from '../../../../src/cpython/interpreter/target.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {writeFiles} from '../../cpython/folders.js';

const folder = temporaryDirectory();
const recorded = (name: string): SysconfigVariables =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, 'installations', `${name}.json`), 'utf8'),
  ) as SysconfigVariables;
const target = {executable: '/usr/bin/python3.11', version: parseVersion('3.11.2')} as Target;

describe('findStaticParts', () => {
  const installed = (name: string, files: readonly string[]) => {
    const LIBPL = join(folder, name);
    writeFiles(LIBPL, {Makefile: '', ...Object.fromEntries(files.map((file) => [file, '']))});
    return {target, variables: {...recorded('debian-3.11.2'), LIBPL}};
  };

  test('finds the archive and the main program', () => {
    const there = installed('plain', ['libpython3.11.a', 'python.o']);
    const {LIBPL} = there.variables;
    const parts = {main: join(LIBPL, 'python.o'), archive: join(LIBPL, 'libpython3.11.a')};
    expect(findStaticParts(there, false)).toEqual({ok: true, value: parts});
    expect(findStaticParts(there, true)).toEqual({ok: true, value: parts});
  });

  test('takes the position-independent archive for a PIE where there is one', () => {
    const there = installed('both', ['libpython3.11.a', 'libpython3.11-pic.a', 'python.o']);
    expect(findStaticParts(there, true)).toMatchObject({
      value: {archive: join(there.variables.LIBPL, 'libpython3.11-pic.a')},
    });
    expect(findStaticParts(there, false)).toMatchObject({
      value: {archive: join(there.variables.LIBPL, 'libpython3.11.a')},
    });
  });

  test.each([
    ['no archive', ['python.o'], /libpython3\.11\.a/],
    ['no main program', ['libpython3.11.a'], /python\.o/],
  ])('with %s it names the package, and the alternative', (name, files, missing) => {
    expect(findStaticParts(installed(name, files), false)).toMatchObject({
      ok: false,
      failure: {
        code: 'PYTHON',
        message: expect.stringMatching(missing),
        hint: expect.stringMatching(/libpython3\.11-dev.*overlay/),
      },
    });
  });
});

describe('linkCommand', () => {
  const toolchain = (name: string, more: object): InstalledToolchain => {
    const variables = recorded(name);
    const cc = {command: variables.CC, compiler: {family: 'gcc'}};
    return {
      installation: {variables},
      addressModel: 'absolute',
      cc,
      ...more,
    } as unknown as InstalledToolchain;
  };

  test('links as the Python was linked, with fixed addresses and without intermediate code', () => {
    expect(linkCommand(toolchain('debian-3.11.2', {}))).toBe(
      'x86_64-linux-gnu-gcc -g -fwrapv -O2 -Xlinker -export-dynamic -Wl,-O1 -Wl,-Bsymbolic-functions -no-pie -fno-lto -fno-use-linker-plugin',
    );
  });

  test('of a position-independent executable', () => {
    const words = linkCommand(toolchain('pyenv-3.13.0', {addressModel: 'position-independent'})).split(' ');
    expect(words).toContain('-pie');
    expect(words).not.toContain('-no-pie');
  });

  test('with another compiler', () => {
    const cc = {command: 'clang-16 -m64', compiler: {family: 'clang'}};
    const command = linkCommand(toolchain('pyenv-3.13.0', {cc}));
    expect(command).toMatch(/^clang-16 -m64 .* -no-pie -fno-lto$/);
  });

  test('includes all of an archive', () => {
    expect(wholeArchive('x.a')).toEqual(['-Wl,--whole-archive', 'x.a', '-Wl,--no-whole-archive']);
  });
});
