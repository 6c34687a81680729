import {appendFileSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {serveJobs, TOKEN} from '../../../../src/exec/jobserver.js';
import {scrubbedEnvironment} from '../../../../src/exec/environment.js';
import {configureTree, makeTree} from '../../../../src/cpython/build/configure-and-make.js';
import {buildEnvironment} from '../../../../src/cpython/build/build-tools.js';
import {compilerIdentity} from '../../../../src/cpython/build/compiler.js';
import {configureArguments} from '../../../../src/cpython/build/configure-arguments.js';
import {REDIRECTED_CALLERS} from '../../../../src/cpython/build/lto.js';
import {readMakeVariables} from '../../../../src/cpython/build/make-variables.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {readFiles, SMALL_TREE, writeFiles} from '../folders.js';

const folder = temporaryDirectory();
const environment = buildEnvironment(scrubbedEnvironment());
const {signal} = new AbortController();

/** Writes a Makefile and `pyconfig.h`, or fails as the first argument says. */
const CONFIGURE = `#!/bin/sh
echo "checking for error_at_line... no"
case "$1" in
  fail) echo "configure: error: the moon is in the wrong phase" >&2; exit 1;;
  nocc) echo "configure: error: C compiler cannot create executables" >&2; exit 77;;
  hang) echo started; : > started; sleep 60;;
esac
echo "#define BYTECODE \\"$PYTHONDONTWRITEBYTECODE\\"" > pyconfig.h
sed "s,@srcdir@,$(dirname "$0"),; s,@ARGS@,$*," "$(dirname "$0")/Makefile.pre.in" > Makefile
`;
const MAKEFILE = `srcdir = @srcdir@
ARGS = @ARGS@
LINKCC = $(PURIFY) $(CC)
CC = gcc -pthread
LIBS = -lm $(EXTRA)
BUILDPYTHON = python
PYTHON_FOR_BUILD = ./$(BUILDPYTHON) -E
EXTRA = -ldl
python: one.o two.o
\tcat one.o two.o > $@
%.o: $(srcdir)/Programs/python.c
\techo building $@; echo "$(GITVERSION)$(VALUE)" > $@
interpreter:
\techo $(PYTHON_FOR_BUILD) > interpreter
PY_CORE_CFLAGS = $(CFLAGS_NODIST) -DPy_BUILD_CORE
lto: lto.log
\t$(MAKE) --no-print-directory again.log CFLAGS_NODIST="$(CFLAGS_NODIST) -fprofile-use"
%.log: Python/import.o Python/ceval.o
\tcat $^ > $@; rm -r Python
Python/%.o:
\tmkdir -p Python; echo $@ $(PY_CORE_CFLAGS) > $@
broken:
\t@echo "x.c:1:2: error: expected ';'"; exit 1
slow: one.o
\techo half > half.o; touch started; sleep 60
GITVERSION = from-git
Makefile: config.status
\ttouch remade
config.status:
\ttouch remade
`;
const source = writeFiles(join(folder, 'source'), {
  ...SMALL_TREE,
  configure: CONFIGURE,
  'Makefile.pre.in': MAKEFILE,
});
let serial = 0;
const fresh = (): string => join(folder, `build${++serial}`);
const configured = async (args: readonly string[] = []): Promise<string> => {
  const buildDir = fresh();
  const result = await configureTree({source, buildDir, arguments: args, environment, signal});
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return buildDir;
};
/** Aborts when a file appears. */
const abortAt = (path: string): AbortSignal => {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (!existsSync(path)) return;
    clearInterval(timer);
    controller.abort();
  }, 10);
  return controller.signal;
};

describe('configureArguments', () => {
  const nonPie = 'LINKFORSHARED=-Xlinker -export-dynamic -no-pie';
  test('ask for a non-PIE link on Linux', () => {
    expect(configureArguments(['--with-lto'], {}, false, 'linux')).toEqual(['--with-lto', nonPie]);
    expect(configureArguments(['--disable-shared', 'LDFLAGS=-Wl,-O1'], {}, false, 'linux')).toContain(nonPie);
    expect(configureArguments(['--enable-shared=no'], {}, false, 'linux')).toContain(nonPie);
    expect(configureArguments([], {}, false, 'darwin')).toEqual([]);
  });
  test('ask for a PIE, which the compiler need not make by itself', () => {
    const pie = 'LINKFORSHARED=-Xlinker -export-dynamic -pie';
    expect(configureArguments(['--x'], {}, true, 'linux')).toEqual(['--x', pie, 'CFLAGS_NODIST=-fPIE']);
    expect(configureArguments([], {CFLAGS_NODIST: '-O1'}, true, 'linux')).toEqual([pie]);
    expect(configureArguments(['LDFLAGS=-pie'], {}, true, 'linux')).toEqual(['LDFLAGS=-pie']);
  });
  test.each([
    [['--enable-shared'], {}],
    [['LINKFORSHARED=-rdynamic'], {}],
    [['LDFLAGS=-Wl,-O1 -pie'], {}],
    [['LDFLAGS=-static-pie'], {}],
    [[], {LDFLAGS: '-pie'}],
    [[], {LINKFORSHARED: ''}],
  ])('leave the link to the user for %j %j', (user, variables) => {
    expect(configureArguments(user, variables, false, 'linux')).toEqual(user);
  });
});

describe('configureTree', () => {
  test('configures in the build directory, logs, and does not change the source tree', async () => {
    const before = readFiles(source);
    const lines: string[] = [];
    const buildDir = fresh();
    const onOutput = (text: string): void => void lines.push(text);
    const run = {source, buildDir, arguments: ['--with-x'], environment, signal, onOutput};
    expect(await configureTree(run)).toEqual({ok: true, value: undefined});
    expect(readFiles(source)).toEqual(before);
    expect(readFileSync(join(buildDir, 'configure.log'), 'utf8')).toContain(
      'checking for error_at_line... no\n',
    );
    expect(lines.join('\n')).toContain('checking for error_at_line');
    expect(readFileSync(join(buildDir, 'pyconfig.h'), 'utf8')).toBe('#define BYTECODE "1"\n');
  });

  test('starts from an empty directory each time', async () => {
    const buildDir = await configured();
    writeFileSync(join(buildDir, 'stale.o'), '');
    const again = await configureTree({source, buildDir, arguments: [], environment, signal});
    expect(again.ok).toBe(true);
    expect(existsSync(join(buildDir, 'stale.o'))).toBe(false);
    expect(existsSync(join(buildDir, 'Makefile'))).toBe(true);
  });

  test('does not empty a directory that is not its own, nor one in the source tree', async () => {
    const mine = writeFiles(fresh(), {'thesis.txt': 'years of work'});
    const refused = await configureTree({source, buildDir: mine, arguments: [], environment, signal});
    expect(refused).toMatchObject({ok: false, failure: {code: 'OUTPUT'}});
    expect(readFiles(mine)).toEqual({'thesis.txt': 'years of work'});
    const inside = join(source, 'build');
    const never = await configureTree({source, buildDir: inside, arguments: [], environment, signal});
    expect(never).toMatchObject({ok: false, failure: {code: 'OUTPUT'}});
    expect(existsSync(inside)).toBe(false);
  });

  test('reports why configure failed, with its output', async () => {
    const run = {source, buildDir: fresh(), environment, signal};
    expect(await configureTree({...run, arguments: ['fail']})).toMatchObject({
      ok: false,
      failure: {
        code: 'CONFIGURE',
        details: expect.stringContaining('configure: error: the moon is in the wrong phase'),
        hint: expect.stringContaining('configure.log'),
      },
    });
    expect(await configureTree({...run, arguments: ['nocc']})).toMatchObject({
      ok: false,
      failure: {code: 'NO_COMPILER'},
    });
  });

  test('fails without a compiler, and with the one that is asked for only', async () => {
    const run = {source, buildDir: fresh(), signal};
    const bare = {...environment, PATH: join(folder, 'nothing')};
    expect(await configureTree({...run, arguments: [], environment: bare})).toMatchObject({
      ok: false,
      failure: {code: 'NO_COMPILER', hint: expect.stringContaining('apt install gcc make')},
    });
    expect(await configureTree({...run, arguments: ['CC=no-such-cc -m32'], environment})).toMatchObject({
      ok: false,
      failure: {code: 'NO_COMPILER', message: expect.stringContaining('no-such-cc')},
    });
  });

  test('can be interrupted, and starts again', async () => {
    const buildDir = fresh();
    const run = {source, buildDir, environment};
    const stopped = await configureTree({
      ...run,
      arguments: ['hang'],
      signal: abortAt(join(buildDir, 'started')),
    });
    expect(stopped).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
    expect(await configureTree({...run, arguments: [], signal})).toMatchObject({ok: true});
    expect(existsSync(join(buildDir, 'started'))).toBe(false);
  });
});

describe('makeTree', () => {
  test('makes, with variables of the caller and without the state of git', async () => {
    const buildDir = await configured();
    const result = await makeTree({buildDir, jobs: 2, flags: ['python', 'VALUE=v'], environment, signal});
    expect(result).toEqual({ok: true, value: undefined});
    expect(readFileSync(join(buildDir, 'python'), 'utf8')).toBe('v\nv\n');
    expect(readFileSync(join(buildDir, 'make.log'), 'utf8')).toContain('building one.o');
  });

  test('takes part in a jobserver', async () => {
    const buildDir = await configured();
    const [server, run] = [serveJobs(3), {buildDir, flags: ['python', 'VALUE=v'], environment, signal}];
    if (server === undefined) throw new Error('there is no mkfifo');
    expect(await makeTree({...run, jobs: server.invitation})).toMatchObject({ok: true});
    expect([1, 2, 3, 4].map(server.take)).toEqual([TOKEN, TOKEN, TOKEN, undefined]);
    expect(readFileSync(join(buildDir, 'make.log'), 'utf8')).not.toContain('jobserver');
    server.close();
  });

  test('keeps the new interpreter from writing bytecode into the source tree', async () => {
    const buildDir = await configured();
    expect(await makeTree({buildDir, jobs: 1, flags: ['interpreter'], environment, signal})).toMatchObject({
      ok: true,
    });
    expect(readFileSync(join(buildDir, 'interpreter'), 'utf8')).toBe('./python -E -B\n');
  });

  test('link-time optimisation leaves out what has its calls redirected, in the makes below, too', async () => {
    const lto = ['-flto -O2', '-flto=thin', '-ffat-lto-objects'];
    for (const flags of lto) {
      const buildDir = await configured();
      const run = {buildDir, jobs: 1, environment, signal};
      appendFileSync(join(buildDir, 'Makefile'), `CFLAGS_NODIST=${flags}\n`);
      expect(await makeTree({...run, flags: ['lto']})).toMatchObject({ok: true});
      const without = flags.startsWith('-flto') ? ' -fno-lto' : '';
      const [once, again] = ['lto.log', 'again.log'].map((name) =>
        readFileSync(join(buildDir, name), 'utf8'),
      );
      expect(once).toBe(
        `Python/import.o ${flags} -DPy_BUILD_CORE${without}\nPython/ceval.o ${flags} -DPy_BUILD_CORE\n`,
      );
      expect(again).toBe(once?.replaceAll(flags, `${flags} -fprofile-use`));
    }
    const callers = /^freeze-callers := (.*)$/m.exec(readFileSync('Makefile.inc', 'utf8'))?.[1];
    expect(callers).toBe(REDIRECTED_CALLERS.join(' '));
  });

  test('fails in a directory that is not configured', async () => {
    const buildDir = fresh();
    mkdirSync(buildDir);
    const result = await makeTree({buildDir, jobs: 1, environment, signal});
    expect(result).toMatchObject({ok: false, failure: {code: 'STAGE1'}});
  });

  test("reports the compiler's errors", async () => {
    const buildDir = await configured();
    expect(await makeTree({buildDir, jobs: 1, flags: ['broken'], environment, signal})).toMatchObject({
      ok: false,
      failure: {code: 'STAGE1', details: expect.stringContaining("x.c:1:2: error: expected ';'")},
    });
  });

  test('continues after an interruption: finished files stay, incomplete ones are made again', async () => {
    const buildDir = await configured();
    const run = {buildDir, jobs: 1, environment};
    expect(await makeTree({...run, flags: ['one.o'], signal})).toMatchObject({ok: true});
    const old = new Date(Date.now() - 60_000);
    utimesSync(join(source, 'Programs/python.c'), new Date(0), new Date(0));
    utimesSync(join(buildDir, 'one.o'), old, old);
    const stopped = await makeTree({...run, flags: ['slow'], signal: abortAt(join(buildDir, 'started'))});
    expect(stopped).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
    expect(existsSync(join(buildDir, 'half.o'))).toBe(true);
    expect(await makeTree({...run, flags: ['python'], signal})).toMatchObject({ok: true});
    expect(existsSync(join(buildDir, 'half.o'))).toBe(false);
    expect(existsSync(join(buildDir, 'pyconfig.h'))).toBe(true);
    const log = readFileSync(join(buildDir, 'make.log'), 'utf8');
    expect(log).toContain('building two.o');
    expect(log).not.toContain('building one.o');
  });

  test('fails without make', async () => {
    const bare = {...environment, PATH: join(folder, 'nothing')};
    const failure = {code: 'NO_MAKE', hint: expect.stringContaining('dnf install')};
    expect(await makeTree({buildDir: folder, jobs: 1, environment: bare, signal})).toMatchObject({
      ok: false,
      failure,
    });
  });
});

describe('readMakeVariables', () => {
  test('expands them, and makes nothing', async () => {
    const buildDir = await configured(['--with-y']);
    const names = ['LINKCC', 'LIBS', 'srcdir', 'ARGS', 'NO_SUCH'] as const;
    expect(await readMakeVariables({buildDir, environment, signal}, names)).toEqual({
      ok: true,
      value: {LINKCC: 'gcc -pthread', LIBS: '-lm -ldl', srcdir: source, ARGS: '--with-y', NO_SUCH: ''},
    });
    expect(existsSync(join(buildDir, 'remade'))).toBe(false);
    expect(existsSync(join(buildDir, 'python'))).toBe(false);
  });

  test('fails in a directory that is not configured', async () => {
    const buildDir = fresh();
    mkdirSync(buildDir);
    const failure = {code: 'STAGE1', message: expect.stringContaining('no Makefile')};
    expect(await readMakeVariables({buildDir, environment, signal}, ['CC'])).toMatchObject({
      ok: false,
      failure,
    });
  });
});

describe('compilerIdentity', () => {
  test('is the same for the same compiler, another for other headers or another target', async () => {
    const headers = writeFiles(join(folder, 'headers'), {'errno.h': '#define EXTRA 1\n'});
    const [plain, again, macros, includes] = await Promise.all([
      compilerIdentity('cc', [], {environment, signal}),
      compilerIdentity('cc', [], {environment: {...environment, HOME: folder}, signal}),
      compilerIdentity('cc -DX', ['-O3', '-D_FORTIFY_SOURCE=2'], {environment, signal}),
      compilerIdentity('cc', [`-I${headers}`], {environment, signal}),
    ]);
    if (!plain.ok || !again.ok || !macros.ok || !includes.ok) throw new Error('no identity');
    expect(plain.value).toMatchObject({
      family: expect.stringMatching(/^(gcc|clang)$/),
      version: expect.stringMatching(/^\d/),
    });
    expect(again.value).toEqual(plain.value);
    expect(new Set([plain, macros, includes].map(({value}) => value.digest)).size).toBe(3);
  });

  test('takes flags for the linker, with which it would link', async () => {
    const linking = await compilerIdentity('cc -Wl,--as-needed -Wl,-z,now', [], {environment, signal});
    const plain = await compilerIdentity('cc', [], {environment, signal});
    if (!linking.ok || !plain.ok) throw new Error('no identity');
    expect(linking.value).toMatchObject({name: plain.value.name, target: plain.value.target});
  });

  test('fails for a program that is not a compiler', async () => {
    for (const cc of ['no-such-cc', 'false']) {
      const result = await compilerIdentity(cc, [], {environment, signal});
      expect(result).toMatchObject({ok: false, failure: {code: 'NO_COMPILER'}});
    }
  });
});
