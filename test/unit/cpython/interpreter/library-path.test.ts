/** An interpreter that starts only where LD_LIBRARY_PATH leads to its library. */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {describeTarget} from '../../../../src/cpython/interpreter/target.js';
import {scrubbedEnvironment} from '../../../../src/exec/environment.js';
import {findPythons} from '../../../../support/pythons.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('library');

const MAIN =
  'extern int Py_BytesMain(int, char **); int main(int n, char **a) { return Py_BytesMain(n, a); }';

interface Shared {
  readonly series: string;
  readonly prefix: string;
  readonly signal: AbortSignal;
}
/** A library that the loader knows by itself needs no variable. */
const known = execFileSync('/sbin/ldconfig', ['-p'], {encoding: 'utf8'});
const shared = findPythons().flatMap(({python, series, signal}): Shared[] => {
  const code = 'import sys; print(sys.base_prefix)';
  const prefix = execFileSync(python, ['-S', '-c', code], {encoding: 'utf8'}).trim();
  const isHidden =
    existsSync(join(prefix, `lib/libpython${series}.so`)) && !known.includes(`libpython${series}.so`);
  return isHidden ? [{series, prefix, signal}] : [];
});

describe.each(shared.map((each) => [each.series, each] as const))('Python %s', (series, {prefix, signal}) => {
  test('is found with the variable of the user, and not without', async () => {
    const root = join(folder, series);
    for (const name of ['bin', 'lib']) mkdirSync(join(root, name), {recursive: true});
    symlinkSync(join(prefix, `lib/python${series}`), join(root, `lib/python${series}`));
    const [source, python] = [join(root, 'main.c'), join(root, `bin/python${series}`)];
    writeFileSync(source, MAIN);
    execFileSync('gcc', [source, `-L${prefix}/lib`, `-lpython${series}`, '-o', python]);
    const own = {PATH: process.env['PATH'], LD_LIBRARY_PATH: join(prefix, 'lib')};
    const found = await describeTarget({python, environment: scrubbedEnvironment({}, own), signal});
    expect(found).toMatchObject({ok: true, value: {shared: true, version: {series}}});
    const without = {PATH: process.env['PATH']};
    const missing = await describeTarget({python, environment: scrubbedEnvironment({}, without), signal});
    expect(missing).toMatchObject({ok: false, failure: {details: expect.stringContaining('libpython')}});
  });
});

test('no other variable of the user gets through that decides what Python does', () => {
  const own = {LD_LIBRARY_PATH: '/l', LD_PRELOAD: '/p', PYTHONPATH: '/q', PYTHONHASHSEED: '1', LANG: 'x'};
  expect(scrubbedEnvironment({}, own)).toMatchObject({LD_LIBRARY_PATH: '/l', PYTHONHASHSEED: '0'});
  expect(Object.keys(scrubbedEnvironment({}, own))).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/LD_PRELOAD|PYTHONPATH|LANG/)]),
  );
});
