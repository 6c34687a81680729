import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {scrubbedEnvironment} from '../../../../src/exec/environment.js';
import {buildExtensionsIn, parseSetup} from '../../../../src/cpython/build/builtin-extensions.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {writeFiles} from '../folders.js';

const folder = temporaryDirectory();
const environment = scrubbedEnvironment();
const {signal} = new AbortController();

/** As configure leaves it. */
const SETUP = `# -*- makefile -*-
*shared*
array arraymodule.c  # a remark
_datetime \\
    _datetimemodule.c
math mathmodule.c
_decimal _decimal/_decimal.c
_sha2 sha2module.c -I$(srcdir)/Modules/_hacl/include Modules/_hacl/libHacl_Hash_SHA2.a
_md5 md5module.c -I$(srcdir)/Modules/_hacl/include _hacl/Hacl_Hash_MD5.c -D_BSD_SOURCE
_blake2 blake2module.c $(LIBHACL_CFLAGS) $(LIBHACL_OBJS)
zlib zlibmodule.c
#readline readline.c
VARIABLE = value
_testcapi _testcapimodule.c
*shared*
_testmultiphase _testmultiphase.c
`;
/** As makesetup makes it. */
const MAKEFILE = `LIBS = -ldl
LIBM = -lm
SYSLIBS = $(LIBM) $(LIBC)
MODULE_MATH_LDFLAGS = $(LIBM)
MODULE__DATETIME_LDFLAGS = -lm -ldl
MODULE__DECIMAL_LDFLAGS = -lm $(LIBMPDEC_A)
LIBMPDEC_A = Modules/_decimal/libmpdec/libmpdec.a
MODULE_ZLIB_LDFLAGS = -lz
Makefile: Modules/Setup.local
\t@echo made > made; touch $@
`;
const NAMES = ['_blake2', '_datetime', '_decimal', '_md5', '_sha2', 'array', 'math', 'readline', 'zlib'];
const source = writeFiles(join(folder, 'source'), {
  'Python/stdlib_module_names.h': `static const char* x[] = {\n${NAMES.map((name) => `"${name}",\n`).join('')}};\n`,
});

test('lines of a Setup file are read as makesetup reads them', () => {
  expect(parseSetup(SETUP).map(({name, libraries}) => [name, libraries])).toEqual([
    ['array', {variable: 'MODULE_ARRAY_LDFLAGS'}],
    ['_datetime', {variable: 'MODULE__DATETIME_LDFLAGS'}],
    ['math', {variable: 'MODULE_MATH_LDFLAGS'}],
    ['_decimal', {variable: 'MODULE__DECIMAL_LDFLAGS'}],
    ['_sha2', ['Modules/_hacl/libHacl_Hash_SHA2.a']],
    ['_md5', []],
    ['_blake2', ['$(LIBHACL_OBJS)']],
    ['zlib', {variable: 'MODULE_ZLIB_LDFLAGS'}],
    ['_testcapi', {variable: 'MODULE__TESTCAPI_LDFLAGS'}],
    ['_testmultiphase', {variable: 'MODULE__TESTMULTIPHASE_LDFLAGS'}],
  ]);
});

test('modules that need a library or an archive, or are for tests, stay shared; the Makefile has the rest', async () => {
  const buildDir = writeFiles(join(folder, 'build'), {'Modules/Setup.stdlib': SETUP, Makefile: MAKEFILE});
  const built = await buildExtensionsIn(source, {buildDir, environment, signal});
  expect(built).toEqual({ok: true, value: ['array', '_datetime', 'math', '_md5']});
  expect(readFileSync(join(buildDir, 'Modules/Setup.local'), 'utf8').split('\n').slice(1)).toEqual([
    '*static*',
    'array arraymodule.c',
    expect.stringMatching(/^_datetime\s+_datetimemodule.c$/),
    'math mathmodule.c',
    '_md5 md5module.c -I$(srcdir)/Modules/_hacl/include _hacl/Hacl_Hash_MD5.c -D_BSD_SOURCE',
    '',
  ]);
  expect(readFileSync(join(buildDir, 'made'), 'utf8')).toBe('made\n');
});

test('versions without such modules in the Makefile are rejected; a failing Makefile is reported', async () => {
  const old = writeFiles(join(folder, 'old'), {Makefile: MAKEFILE});
  expect(await buildExtensionsIn(source, {buildDir: old, environment, signal})).toMatchObject({
    failure: {code: 'PYTHON_VERSION', message: expect.stringContaining('--builtin-extensions')},
  });
  const broken = writeFiles(join(folder, 'broken'), {
    'Modules/Setup.stdlib': SETUP,
    Makefile: MAKEFILE.replace('@echo made > made', 'exit 1'),
  });
  expect(await buildExtensionsIn(source, {buildDir: broken, environment, signal})).toMatchObject({
    failure: {code: 'CONFIGURE'},
  });
  const bare = writeFiles(join(folder, 'bare'), {'Modules/Setup.stdlib': SETUP, Makefile: MAKEFILE});
  expect(await buildExtensionsIn(folder, {buildDir: bare, environment, signal})).toMatchObject({
    failure: {code: 'IO'},
  });
});

test('with archives, modules that need only these, or archives of the build, are chosen, too', async () => {
  const buildDir = writeFiles(join(folder, 'archives'), {'Modules/Setup.stdlib': SETUP, Makefile: MAKEFILE});
  const chosen = await buildExtensionsIn(source, {buildDir, environment, signal}, ['-lz']);
  expect(chosen).toMatchObject({
    value: ['array', '_datetime', 'math', '_decimal', '_sha2', '_md5', 'zlib'],
  });
  const without = await buildExtensionsIn(source, {buildDir, environment, signal}, []);
  expect(without).toMatchObject({value: ['array', '_datetime', 'math', '_decimal', '_sha2', '_md5']});
});
