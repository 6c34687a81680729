import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {rewriteInstallation, rewriteText} from '../../../src/release/relocate.js';

const REWRITING = {build: '/somewhere/build', prefix: '/opt/python', secrets: ['/somewhere/source']};

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flashfreeze-relocate-'));
  mkdirSync(join(root, 'bin'));
});
afterEach(() => {
  rmSync(root, {recursive: true});
});

test('the build folder has another name in texts', async () => {
  writeFileSync(join(root, 'Makefile'), 'abs_builddir=\t/somewhere/build/cpython\n');
  chmodSync(join(root, 'Makefile'), 0o444);
  expect(await rewriteInstallation(root, REWRITING)).toEqual({ok: true, value: undefined});
  expect(readFileSync(join(root, 'Makefile'), 'utf8')).toBe('abs_builddir=\t/usr/src/python-build/cpython\n');
});

test.each(['/somewhere/build', '/somewhere/source'])(
  'a binary file that tells of %s is no release',
  async (folder) => {
    writeFileSync(join(root, 'lib.so'), `\0${folder}/cpython/x.c\0`);
    expect(await rewriteInstallation(root, REWRITING)).toMatchObject({
      ok: false,
      failure: {code: 'VERIFY', details: `lib.so holds ${folder}`},
    });
  },
);

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

test('sysconfig tells the folders of the installation where it lies', () => {
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
