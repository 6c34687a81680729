/**
 * Sources that are no longer what was frozen, although size and time do not say so; stamps that cannot be used; an executable
 * in a virtual environment. What the unmodified Python does is what the frozen one has to do.
 */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {flashfreezeJson, run} from '../../support/rig.js';
import {findPythons} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(20 * 60_000);

const [found] = findPythons().slice(-1);
if (found === undefined) throw new Error('there is no Python to test with');
const {python} = found;
const folder = temporaryDirectory('stale-sources');
const app = join(folder, 'app');
const source = join(app, 'parts.py');
const environment = join(folder, 'venv');
const frozen = join(environment, 'bin', 'tool');

const LOOK = `import sys; sys.path.insert(0, sys.argv[1])
import parts
print(parts.value())
try:
    import _flashfreeze
    print(_flashfreeze.is_static(parts.value.__code__), _flashfreeze.info()['inactive_because'])
except ImportError:
    pass`;

async function look(file: string): Promise<readonly string[]> {
  const done = await run(file, ['-B', '-c', LOOK, app], {cwd: '/'});
  expect(done.stderr).toBe('');
  return done.stdout.trim().split('\n');
}

const codeOf = (value: number): string => `def value():\n    return ${value}\n`;

beforeAll(async () => {
  mkdirSync(app);
  writeFileSync(source, codeOf(1));
  expect((await run(python, ['-m', 'venv', '--without-pip', environment])).exitCode).toBe(0);
  const own = join(environment, 'bin', 'python');
  const words = ['relink', '--python', own, '--out', frozen, '--trace', '-c "import parts"'];
  const {summary, stderr} = await flashfreezeJson(words, {cwd: app});
  if (!summary.ok) throw new Error(stderr);
});

test('a tool in a virtual environment uses its images, and has the packages of the environment', async () => {
  expect(await look(frozen)).toEqual(['1', 'True None']);
  const done = await run(frozen, ['-c', 'import sys; print(sys.prefix)']);
  expect(done.stdout.trim()).toBe(environment);
});

describe('a source', () => {
  test.each<[string, () => void]>([
    [
      'was touched',
      () => {
        utimesSync(source, 1_000_000_000, 1_000_000_000);
      },
    ],
    [
      'has other permissions',
      () => {
        chmodSync(source, 0o600);
      },
    ],
    [
      'was replaced by a copy',
      () => {
        writeFileSync(source, readFileSync(source));
      },
    ],
  ])('that %s, is what was frozen', async (_, change) => {
    change();
    expect(await look(frozen)).toEqual(['1', 'True None']);
  });

  test('that was edited, with the same size and time, is not', async () => {
    const {atime, mtime} = statSync(source);
    writeFileSync(source, codeOf(2));
    utimesSync(source, atime, mtime);
    expect(await look(frozen)).toEqual(['2', 'False None']);
    writeFileSync(source, codeOf(1));
    utimesSync(source, atime, mtime);
  });

  test('gives way to a package that appears beside it', async () => {
    const rival = join(app, 'parts');
    mkdirSync(rival);
    expect(await look(frozen)).toEqual(['1', 'True None']);
    writeFileSync(join(rival, '__init__.py'), codeOf(3));
    expect(await look(frozen)).toEqual(['3', 'False None']);
    rmSync(rival, {recursive: true});
  });

  test.each([
    ['UNCHECKED_HASH', '4'],
    ['CHECKED_HASH', '1'],
  ])('of which there is bytecode of another version (%s) counts as PEP 552 says', async (mode, value) => {
    writeFileSync(source, codeOf(4));
    const compile = `import py_compile as p, sys; p.compile(sys.argv[1], invalidation_mode=p.PycInvalidationMode.${mode})`;
    expect((await run(python, ['-c', compile, source])).exitCode).toBe(0);
    writeFileSync(source, codeOf(1));
    expect((await look(python))[0]).toBe(value);
    expect((await look(frozen))[0]).toBe(value);
    rmSync(join(app, '__pycache__'), {recursive: true});
  });
});

describe('stamps', () => {
  const copy = join(environment, 'bin', 'copy');

  test.each<[string, (file: string) => void, RegExp]>([
    [
      'missing',
      (file) => {
        rmSync(file);
      },
      /missing/,
    ],
    [
      'cut off',
      (file) => {
        truncateSync(file, 60);
      },
      /damaged/,
    ],
    [
      'empty',
      (file) => {
        truncateSync(file, 0);
      },
      /damaged/,
    ],
    [
      'a directory',
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
      /not a file/,
    ],
  ])(
    'that are %s: images of modules on disk are not used, and info() says why',
    async (_, damage, reason) => {
      cpSync(frozen, copy);
      cpSync(`${frozen}.stamps`, `${copy}.stamps`);
      expect(await look(copy)).toEqual(['1', 'True None']);
      damage(`${copy}.stamps`);
      const [value, told] = await look(copy);
      expect([value, told]).toEqual(['1', expect.stringMatching(reason)]);
      rmSync(`${copy}.stamps`, {recursive: true, force: true});
    },
  );
});

test.each(['0', 'no', 'OFF', 'False'])('FLASHFREEZE=%s switches images off', async (word) => {
  const code = 'import _flashfreeze; print(_flashfreeze.info()["active"])';
  expect((await run(frozen, ['-c', code], {environment: {FLASHFREEZE: word}})).stdout).toBe('False\n');
  expect((await run(frozen, ['-X', `flashfreeze=${word}`, '-c', code])).stdout).toBe('False\n');
});

test('another word is reported once, and images are not used', async () => {
  const code = 'import json, _flashfreeze; print(_flashfreeze.info()["active"])';
  const done = await run(frozen, ['-c', code], {environment: {FLASHFREEZE: 'offf'}});
  expect(done.stdout).toBe('False\n');
  expect(done.stderr.split('\n').filter((line) => line.includes('FLASHFREEZE'))).toHaveLength(1);
});
