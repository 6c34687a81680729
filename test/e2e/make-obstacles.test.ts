/** Where Makefile.inc cannot give CPython images: one warning says why, and CPython's own rules build it unmodified. */
import {cpSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {PACKAGE, type Run, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

const scratch = temporaryDirectory('obstacles');

/** What Makefile.inc reads of the Makefile that configure writes, and one rule. */
const MAKEFILE = `
BUILDPYTHON = python
BUILD_GNU_TYPE = x86_64-pc-linux-gnu
HOST_GNU_TYPE = x86_64-pc-linux-gnu
MACHDEP = linux
VERSION = 3.13
PY_ENABLE_SHARED = 0
OPT = -DNDEBUG -O2
PY_CORE_CFLAGS = $(OPT) $(CFLAGS_NODIST) -DPy_BUILD_CORE
python: ; @echo "linked with:$(LINKFORSHARED)"
`;
const PLAIN = '/* #undef Py_DEBUG */\n#define PY_SSIZE_T_CLEAN 1\n';

let serial = 0;
/** A configured directory. */
function configured(pyconfig = PLAIN, name = `build${++serial}`): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'Makefile'), MAKEFILE);
  writeFileSync(join(folder, 'pyconfig.h'), pyconfig);
  writeFileSync(join(folder, 'GNUmakefile'), 'include Makefile\ninclude $(FLASHFREEZE_HOME)/Makefile.inc\n');
  return folder;
}

const make = (cwd: string, ...args: string[]): Promise<Run> =>
  run('make', args, {
    cwd,
    environment: {
      FLASHFREEZE_HOME: PACKAGE,
      FLASHFREEZE: undefined,
      MAKEFLAGS: undefined,
      MAKELEVEL: undefined,
    },
  });

async function expectObstacle(folder: string, args: readonly string[], sentence: string): Promise<void> {
  const made = await make(folder, 'python', ...args);
  expect(made).toMatchObject({exitCode: 0, stdout: 'linked with:\n'});
  expect(made.stderr.match(/flashfreeze: .*/g)).toEqual([
    `flashfreeze: ${sentence}. CPython is built without frozen modules`,
  ]);
  expect(await make(folder, '-s', 'python', ...args)).toMatchObject({exitCode: 0});
  expect(await make(folder, 'python', 'FLASHFREEZE=no', ...args)).toMatchObject({exitCode: 0});
  const asked = await make(folder, 'freeze-startup', ...args);
  expect(asked.exitCode).toBe(2);
  expect(asked.stderr).toContain(`flashfreeze: ${sentence}.\n`);
}

const DEBUG =
  'a debug build of CPython cannot have static code objects: it checks that static strings are its own, and counts references to them';

test.each([
  ['--with-pydebug', '#define Py_DEBUG 1\n', DEBUG],
  ['--with-trace-refs', '#define Py_TRACE_REFS 1\n', DEBUG],
  ['--disable-gil', '#define Py_GIL_DISABLED 1\n', 'a free-threaded CPython cannot have static code objects'],
  [
    '--enable-big-digits=15',
    '#define PYLONG_BITS_IN_DIGIT 15\n',
    'this CPython has integers with 15 bits per digit, and images need 30',
  ],
])('%s', (_, line, sentence) => expectObstacle(configured(PLAIN + line), [], sentence));

test.each([
  ['CFLAGS_NODIST=-DPy_REF_DEBUG', DEBUG],
  [
    'OPT=-O2',
    'a CPython with assertions (no -DNDEBUG) cannot have static code objects: it asserts that static strings are its own',
  ],
  // Only newer ones have this feature, and this is how Makefile.inc tells.
  ['.FEATURES=', 'this make is too old: GNU make 4.0 or newer is needed'],
  ['BUILDPYTHON=', "Makefile.inc has to be included after CPython's own Makefile"],
  [
    'HOST_GNU_TYPE=aarch64-linux',
    'cross builds are not supported: stage 1 has to run on this machine to compile modules',
  ],
  ['MACHDEP=darwin', 'darwin is not supported: Linux is needed'],
  ['FLASHFREEZE_NODE=/nowhere/node', 'Node.js 20.19 or newer is needed, but /nowhere/node is not found'],
  [
    'VERSION=3.99',
    `CPython 3.99 is not supported: there is no layout file for it in ${PACKAGE}/src/codegen/layouts`,
  ],
])('%s', (word, sentence) => expectObstacle(configured(), [word], sentence));

test('a directory with a space is rejected only with a shared library', async () => {
  const folder = configured(PLAIN, 'with space');
  const words = ['PY_ENABLE_SHARED=1'];
  const sentence = 'a CPython with a shared library cannot run in a directory whose path has a space';
  await expectObstacle(folder, words, sentence);
  expect((await make(folder, '-n', 'freeze-startup')).stderr).not.toContain(sentence);
});

test('a package that is not built is rejected', async () => {
  const home = join(scratch, 'home');
  mkdirSync(home);
  cpSync(join(PACKAGE, 'Makefile.inc'), join(home, 'Makefile.inc'));
  symlinkSync(join(PACKAGE, 'src'), join(home, 'src'));
  const sentence = `flashfreeze in ${home} is not built: run \`npm run build\` there (or set FLASHFREEZE_HOME)`;
  await expectObstacle(configured(), [`FLASHFREEZE_HOME=${home}`], sentence);
});

test.each(['python.stamps', 'flashfreeze/objects.rsp'])(
  'an interpreter that had images (%s) is linked again',
  async (mark) => {
    const folder = configured();
    writeFileSync(join(folder, 'python'), '');
    expect((await make(folder, 'python', 'FLASHFREEZE=no')).stdout).toContain('up to date');
    mkdirSync(join(folder, 'flashfreeze'));
    writeFileSync(join(folder, mark), '');
    expect((await make(folder, 'python', 'FLASHFREEZE=no')).stdout).toContain('linked with:');
    expect((await make(folder, 'python', 'FLASHFREEZE=no')).stdout).toContain('up to date');
  },
);

test('make has a rule for images when all requirements are met', async () => {
  const done = await make(configured('#define PYLONG_BITS_IN_DIGIT 30\n'), '-n', 'freeze-startup');
  expect(done.stderr).not.toContain('without frozen modules');
  expect(done.stderr).toContain('No rule to make target');
});

test.each([';', '|', '%', ':', '*', '?', '[', ']', '(', ')', '\\', '#', '$$'])(
  'a path of flashfreeze with %s is rejected',
  async (mark) => {
    const written = mark === '#' ? '\\#' : mark;
    const folder = configured();
    const home = `/a${mark}b`.replace('$$', '$');
    writeFileSync(
      join(folder, 'GNUmakefile'),
      `FLASHFREEZE_HOME := /a${written}b\ninclude Makefile\ninclude ${PACKAGE}/Makefile.inc\n`,
    );
    const made = await make(folder, 'python');
    expect(made).toMatchObject({exitCode: 0, stdout: 'linked with:\n'});
    expect(made.stderr).toContain(
      `flashfreeze: the path of flashfreeze, ${home}, has what make would read: `,
    );
  },
);

test('line breaks in paths are rejected, and are no commands', async () => {
  const folder = configured(PLAIN, 'a\ntouch pwned\n');
  for (const words of [
    [],
    ['FLASHFREEZE_HOME=/a\ntouch pwned\n'],
    ['FLASHFREEZE_CACHE_DIR=/a\ntouch pwned\n'],
  ]) {
    const place = words.length === 0 ? folder : configured();
    writeFileSync(join(place, 'GNUmakefile'), `include Makefile\ninclude ${PACKAGE}/Makefile.inc\n`);
    const made = await make(place, 'python', ...words);
    expect(made).toMatchObject({exitCode: 0, stdout: 'linked with:\n'});
    expect(made.stderr).toMatch(
      /flashfreeze: the path .* has (a line break|what make would read: a line break)/,
    );
    expect(existsSync(join(place, 'pwned'))).toBe(false);
  }
});

test('quotes and spaces in paths reach the program as they are', async () => {
  const home = join(scratch, `o'brien "q" \`id\` & co`);
  mkdirSync(home);
  for (const name of ['Makefile.inc', 'package.json', 'src', 'dist', 'bin'])
    symlinkSync(join(PACKAGE, name), join(home, name));
  const node = join(scratch, 'node');
  writeFileSync(node, `#!/bin/sh\n[ "$1" = --version ] && exec echo v99.1\nprintf '<%s>' "$@" > said\n`, {
    mode: 0o755,
  });
  const folder = configured(PLAIN, `build's "place"`);
  mkdirSync(join(folder, 'flashfreeze'));
  const rules = 'flashfreeze/stage1 Programs/python.o Modules/Setup.local: ; @mkdir -p $(@D); touch $@\n';
  writeFileSync(join(folder, 'GNUmakefile'), `include Makefile\ninclude ${PACKAGE}/Makefile.inc\n${rules}`);
  const cache = `/c'a "c" h\\e;$x`;
  const words = [
    `FLASHFREEZE_HOME=${home}`,
    `FLASHFREEZE_CACHE_DIR=${cache.replace('$', '$$$$')}`,
    `FLASHFREEZE_NODE=${node}`,
  ];
  const made = await make(folder, 'regen-freeze-startup', ...words);
  expect(made).toMatchObject({exitCode: 0});
  const said = readFileSync(join(folder, 'said'), 'utf8');
  expect(said).toMatch(/^<.*bin\/flashfreeze\.mjs><make><--build-dir><flashfreeze>/);
  expect(said).toContain(`<${home}/bin/flashfreeze.mjs>`);
  expect(said).toContain(`<--cache-dir=${cache}>`);
});

test.each([
  ['700', '700'],
  ['', '755'],
])('an interpreter gets the mode that is written down: "%s"', async (told, mode) => {
  const node = join(scratch, `node${told}`);
  const lines = [
    ...['#!/bin/sh', 'case "$*" in', '--version) echo v99.1 ;;'],
    ...[
      `*" make "*) for each in objects.rsp objects.rsp.stamps; do echo > flashfreeze/$each; done; printf '%s' '${told}' > flashfreeze/mode ;;`,
    ],
    'esac',
  ];
  writeFileSync(node, `${lines.join('\n')}\n`, {mode: 0o755});
  const folder = configured();
  const rules =
    'python: ; @touch $@; chmod 755 $@\naltbininstall: python ; @mkdir -p bin; cp python bin/python3.13; chmod 755 bin/python3.13\n' +
    'flashfreeze/stage1 Programs/python.o Modules/Setup.local: ; @mkdir -p $(@D); touch $@\n';
  writeFileSync(join(folder, 'Makefile'), MAKEFILE.replace(/^python: .*$/m, ''));
  writeFileSync(join(folder, 'GNUmakefile'), `include Makefile\ninclude ${PACKAGE}/Makefile.inc\n${rules}`);
  const words = ['BINDIR=bin', 'LDVERSION=3.13', 'INSTALL_DATA=cp', `FLASHFREEZE_NODE=${node}`];
  expect(await make(folder, 'freeze-install', ...words)).toMatchObject({exitCode: 0});
  const modeOf = (name: string): string => (statSync(join(folder, name)).mode & 0o777).toString(8);
  expect(['python', 'bin/python3.13'].map(modeOf)).toEqual([mode, mode]);
});
