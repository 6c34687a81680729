/** A real Python, measured against itself: what is asked of each side, and when a comparison is refused. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import type {BenchProgram} from '../../../src/inspect/bench-program.js';
import {type SidesRequest, measureSides} from '../../../src/inspect/measure-sides.js';
import {findPythons} from '../../../support/pythons.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const folder = temporaryDirectory('sides');
const [found] = findPythons().slice(-1);
if (found === undefined) throw new Error('there is no Python');
const {python} = found;
const side: BenchProgram = {python, environment: found.environment};

const request = (words: readonly string[], change: Partial<SidesRequest> = {}): SidesRequest => ({
  command: {words, cwd: folder},
  sides: [side, side],
  runner: python,
  rounds: 2,
  valgrind: undefined,
  signal: new AbortController().signal,
  ...change,
});

test('each side runs the command in its own environment, in turn', async () => {
  const log = join(folder, 'log');
  const note = `import os; open(${JSON.stringify(log)}, "a").write(os.environ["SIDE"] + os.environ["BOTH"] + os.getcwd()[-5:] + "\\n")`;
  const words = ['-S', '-c', note];
  const sides = ['a', 'b'].map((name) => ({python, environment: {...found.environment, SIDE: name}}));
  const [first = side, ...others] = sides;
  const measured = await measureSides(
    request(words, {sides: [first, ...others], command: {words, cwd: folder, environment: {BOTH: '+'}}}),
  );
  const none = {instructions: null};
  const figures = {wall: {median: expect.any(Number)}, faults: {median: expect.any(Number)}};
  expect(measured).toMatchObject({
    ok: true,
    value: [
      {...figures, ...none},
      {...figures, ...none},
    ],
  });
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  // The first start looks whether the baseline is warm; after that both run equally often.
  expect(lines.filter((line) => line.startsWith('b')).length).toBe(
    lines.filter((line) => line.startsWith('a')).length - 1,
  );
  expect(new Set(lines.slice(1))).toEqual(new Set(['a', 'b'].map((name) => `${name}+${folder.slice(-5)}`)));
});

test('without rounds and without valgrind, nothing is measured', async () => {
  const nothing = {wall: null, faults: null, instructions: null};
  expect(await measureSides(request(['-c', 'pass'], {rounds: 0}))).toEqual({
    ok: true,
    value: [nothing, nothing],
  });
});

test('a command that fails is no measurement', async () => {
  expect(await measureSides(request(['-c', 'raise SystemExit("no licence")']))).toMatchObject({
    ok: false,
    failure: {code: 'BENCH'},
  });
});

test('a baseline that compiles a module at its start is refused', async () => {
  writeFileSync(join(folder, 'cold.py'), 'x = 1\n');
  const environment = {...found.environment, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1'};
  const cold = {python, environment};
  expect(await measureSides(request(['-c', 'import cold'], {sides: [cold, side]}))).toMatchObject({
    ok: false,
    failure: {code: 'BENCH', message: expect.stringContaining(`${folder}/cold.py`)},
  });
});
