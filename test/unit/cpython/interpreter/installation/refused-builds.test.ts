/** Three languages reject the same builds of CPython, in the same words. */
import {readFileSync} from 'node:fs';
import {describe, expect, test} from '@jest/globals';
import {
  REFUSED_BUILDS,
  checkUnfrozen,
  checkUsable,
} from '../../../../../src/cpython/interpreter/installation/refused-builds.js';

const usable = {debug: false, freeThreaded: false};
const layouts = readFileSync('src/codegen/layouts/common.h', 'utf8').replaceAll('\\\n', ' ');
const makefile = readFileSync('Makefile.inc', 'utf8');
const describeTarget = readFileSync('src/cpython/interpreter/scripts/describe_target.py', 'utf8');

/** The macros in a line of C or make, each once. */
const macrosIn = (line = ''): readonly string[] => [...new Set(line.match(/\bPy_[A-Z_]+/g) ?? [])];

test('a usual build is usable', () => {
  expect(checkUsable(usable).ok).toBe(true);
});

test('a Python that has images does not get others', () => {
  const made = {executable: '/opt/frozen', builtinModules: ['sys', '_flashfreeze']};
  expect(checkUnfrozen({...made, builtinModules: ['sys']}).ok).toBe(true);
  expect(checkUnfrozen(made)).toMatchObject({
    ok: false,
    failure: {
      code: 'PYTHON',
      message: '/opt/frozen has frozen modules already: flashfreeze made it',
      hint: 'pass the Python that it was made of',
    },
  });
});

describe.each(Object.entries(REFUSED_BUILDS))('%s', (kind, {macros, reason}) => {
  test('is rejected with the reason, and told what to do', () => {
    expect(checkUsable({...usable, [kind]: true})).toMatchObject({
      ok: false,
      failure: {code: 'PYTHON', message: reason, hint: expect.any(String)},
    });
  });

  test('is rejected by the C of the layouts', () => {
    const condition = layouts.split('\n').findIndex((line) => line.includes(reason));
    expect(layouts.split('\n')[condition]).toMatch(/^#error/);
    expect(macrosIn(layouts.split('\n')[condition - 1])).toEqual(macros);
  });

  test('is rejected by Makefile.inc', () => {
    const lines = makefile.split('\n');
    const obstacle = lines.indexOf(`freeze-obstacle := ${reason}`);
    expect(macrosIn(lines[obstacle - 1]?.replaceAll('-DPy_', ' Py_'))).toEqual(macros);
    // configure writes them into pyconfig.h, and make looks for them there.
    const [, searched = ''] = /Py_\(([A-Z_|]+)\)/.exec(makefile) ?? [];
    expect(searched.split('|').map((name) => `Py_${name}`)).toEqual(expect.arrayContaining([...macros]));
  });

  test('is asked of an installed Python', () => {
    expect(macros.filter((macro) => !describeTarget.includes(macro))).toEqual([]);
  });
});
