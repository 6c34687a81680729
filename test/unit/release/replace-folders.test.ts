import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {rewriteInstallation, rewriteText} from '../../../src/release/replace-folders.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const REWRITING = {build: '/somewhere/build', prefix: '/opt/python'};

let root = '';
let source = '';
beforeEach(() => {
  root = temporaryDirectory('relocate');
  source = temporaryDirectory('source');
  mkdirSync(join(root, 'bin'));
});
const rewrite = (build = REWRITING.build): ReturnType<typeof rewriteInstallation> =>
  rewriteInstallation(root, {...REWRITING, build, source});

test('the build directory is replaced in texts', async () => {
  writeFileSync(join(root, 'Makefile'), 'abs_builddir=\t/somewhere/build/cpython\n');
  chmodSync(join(root, 'Makefile'), 0o444);
  expect(await rewrite()).toEqual({ok: true, value: undefined});
  expect(readFileSync(join(root, 'Makefile'), 'utf8')).toBe('abs_builddir=\t/usr/src/python-build/cpython\n');
});

test.each(['/build', '/somewhere/büild (1)'])(
  '%s is replaced where it is a directory, and nowhere else',
  (build) => {
    const bytes = (text: string): string => Buffer.from(text).toString('latin1');
    const text = bytes(`-I${build}/x "${build}" CC=${build}: /opt${build} ${build}-2 ..${build} a${build}`);
    expect(rewriteText('Makefile', text, {...REWRITING, build})).toBe(
      bytes(
        `-I/usr/src/python-build/x "/usr/src/python-build" CC=/usr/src/python-build: /opt${build} ${build}-2 ..${build} a${build}`,
      ),
    );
  },
);

test('text of the library itself stays', async () => {
  for (const [from, to] of [
    ['Lib/json', 'lib/python3.13/json'],
    ['Include', 'include/python3.13'],
  ] as const) {
    mkdirSync(join(source, from), {recursive: true});
    mkdirSync(join(root, to), {recursive: true});
    writeFileSync(join(source, from, 'x'), 'path = "/b/x"');
    writeFileSync(join(root, to, 'x'), 'path = "/b/x"');
    writeFileSync(join(root, to, 'y'), 'path = "/b/x"');
  }
  expect(await rewrite('/b')).toMatchObject({ok: true});
  const texts = ['json/x', 'json/y'].map((name) => readFileSync(join(root, 'lib/python3.13', name), 'utf8'));
  expect(texts).toEqual(['path = "/b/x"', 'path = "/usr/src/python-build/x"']);
  expect(readFileSync(join(root, 'include/python3.13/x'), 'utf8')).toBe('path = "/b/x"');
});

test.each(['build', 'source'])('a binary file that contains the %s directory fails', async (which) => {
  const folder = which === 'build' ? REWRITING.build : source;
  writeFileSync(join(root, 'lib.so'), `\0/usr${folder}/cpython/x.c\0`);
  expect(await rewrite()).toMatchObject({ok: true});
  writeFileSync(join(root, 'lib.so'), `\0${folder}/cpython/x.c\0`);
  expect(await rewrite()).toMatchObject({
    ok: false,
    failure: {code: 'VERIFY', details: `lib.so holds ${folder}`},
  });
});

test('a script runs the Python beside it, also through a link', () => {
  const python = execFileSync('sh', ['-c', 'command -v python3']).toString().trim();
  writeFileSync(join(root, 'bin', 'python9'), `#!/bin/sh\nexec ${python} "$@"\n`, {mode: 0o755});
  const text = rewriteText(
    'bin/tool',
    '#!/opt/python/bin/python9\nimport sys\nprint(sys.argv[1])\n',
    REWRITING,
  );
  writeFileSync(join(root, 'bin', 'tool'), text, {mode: 0o755});
  execFileSync('ln', ['-s', 'bin/tool', join(root, 'link')]);
  expect(execFileSync(join(root, 'link'), ['two words']).toString()).toBe('two words\n');
});

test('sysconfig reports the current directories of the installation', () => {
  const text = rewriteText(
    'lib/python3.13/_sysconfigdata__linux_x86_64-linux-gnu.py',
    "build_time_vars = {'A': '/opt/python/lib -L/opt/python', 'B': '/opt/python-2 /usr/opt/python', 'C': 1}\n",
    REWRITING,
  );
  const script = `${text}\nimport json; print(json.dumps(build_time_vars))`;
  const base = execFileSync('python3', ['-c', 'import sys; print(sys.base_prefix)']).toString().trim();
  expect(JSON.parse(execFileSync('python3', ['-c', script]).toString())).toEqual({
    A: `${base}/lib -L${base}`,
    B: '/opt/python-2 /usr/opt/python',
    C: 1,
  });
});

test('pkg-config finds the prefix from where its file lies', () => {
  expect(
    rewriteText('lib/pkgconfig/python3.pc', 'prefix=/opt/python\nlibdir=${prefix}/lib\n', REWRITING),
  ).toBe('prefix=${pcfiledir}/../..\nlibdir=${prefix}/lib\n');
});
