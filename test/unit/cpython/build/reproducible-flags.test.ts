import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {
  DEPENDENCIES,
  reproducibleArguments,
  reproducibleEnvironment,
} from '../../../../src/cpython/build/reproducible-flags.js';
import {prerequisitesOf} from '../../../../src/release/outside-inputs.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

/** As CPython's Makefile has them: an object that make compiles, and one that setup.py compiles by its absolute path. */
const MAKEFILE = `
CC=gcc
CFLAGS_NODIST=
CONFIGURED=-g -O2 -flto -ffat-lto-objects
COMPILE=$(CONFIGURED) $(CFLAGS_NODIST)
all: part.o sharedmods
again:
\t$(MAKE) all CFLAGS_NODIST="$(CFLAGS_NODIST) -DAGAIN"
part.o:
\t$(CC) $(COMPILE) -c ../source/part.c -o $@
sharedmods: part.o
\tCC='$(CC)'; eval "$$CC $(CONFIGURED) -fno-lto -c '$(ABSOLUTE)/part.c' -o module.o"
sharedinstall:
\techo "$$CC" > installed
`;
const SOURCE =
  '#include <assert.h>\nstatic int f(int x) { assert(x); return x + __LINE__; }\nint g(int x) { return f(x); }\n';

const folder = temporaryDirectory();

/** Compiles in a directory, with or without what makes it reproducible; gives what was made. */
function build(name: string, reproducible: boolean, target = 'all'): readonly Buffer[] {
  const [source, buildDir] = [join(folder, `${name} of it`), join(folder, name, 'build')];
  mkdirSync(source, {recursive: true});
  mkdirSync(buildDir, {recursive: true});
  writeFileSync(join(source, 'part.c'), SOURCE);
  writeFileSync(join(buildDir, 'Makefile'), MAKEFILE.replaceAll('$(ABSOLUTE)', source));
  symlinkSync(source, join(folder, name, 'source'));
  const own = reproducibleArguments({source, name: '../source', buildDir, family: 'gcc'});
  const environment = {PATH: process.env['PATH'] ?? '', PWD: buildDir};
  const run = (...args: string[]) =>
    spawnSync('make', reproducible ? [...args, ...own] : args, {
      cwd: buildDir,
      env: reproducible ? reproducibleEnvironment(environment) : environment,
      encoding: 'utf8',
    });
  const done = run(target);
  if (done.status !== 0) throw new Error(done.stderr);
  if (run('sharedinstall').status !== 0) throw new Error('make sharedinstall');
  return ['part.o', 'module.o', 'installed'].map((file) => readFileSync(join(buildDir, file)));
}

test.each(['all', 'again'])('objects depend neither on paths nor on random numbers (make %s)', (target) => {
  const [one = [], other = []] = ['one', 'another-and-longer'].map((name) =>
    build(`${name}-${target}`, true, target),
  );
  expect(one[0]?.equals(other[0] ?? Buffer.of())).toBe(true);
  expect(one[1]?.equals(other[1] ?? Buffer.of())).toBe(true);
  expect(one[1]?.includes(folder)).toBe(false);
  expect(one[1]?.includes('../source/part.c')).toBe(true);
  for (const object of ['part.o', 'module']) {
    const told = join(folder, `one-${target}`, 'build', `${object}${DEPENDENCIES}`);
    expect(prerequisitesOf(readFileSync(told, 'utf8'))).toContainEqual(
      expect.stringMatching(/^\/.*\/assert\.h$/),
    );
  }
  // What installs compiles in the same way.
  expect(one[2]?.toString()).toContain('-ffile-prefix-map=');
});

test('without the arguments they do', () => {
  const [one = [], other = []] = ['one', 'another-and-longer'].map((name) => build(`${name}-told`, false));
  expect(one[0]?.equals(other[0] ?? Buffer.of())).toBe(false);
  expect(one[1]?.includes(folder)).toBe(true);
});
