/** Modules that no image can be made of: which failures a build bears, and what it says of them. */
import {describe, expect, test} from '@jest/globals';
import {leftOutWarning} from '../../../../src/pipeline/modules/left-out.js';
import type {ModulePlan} from '../../../../src/pipeline/modules/module-plan.js';
import {createRefusals} from '../../../../src/pipeline/modules/refusals.js';
import {Recording} from '../../../../src/fs/recording.js';
import {failure} from '../../../../src/model/failure.js';
import {err, ok} from '../../../../src/model/result.js';

const plan = (module: string, isRequired = false): ModulePlan => ({
  ...{module, isRequired, isCPythonFrozen: false},
  ...{source: `/app/${module}.py`, sourceName: `path/${module}.py`, filename: `${module}.py`},
});
const object = {name: 'o', path: '/o', digest: 'd' as never};

describe('a failure', () => {
  test.each(['CC', 'GENERATE', 'MARSHAL'] as const)('%s of one module is borne', (code) => {
    const refusals = createRefusals();
    expect(refusals.accept(plan('m'), failure(code, 'no'))).toBe(true);
    expect(refusals.leftOut()).toEqual([
      {module: 'm', source: '/app/m.py', problem: {type: code, text: 'no'}},
    ]);
  });

  test.each(['LAYOUT', 'INTERRUPTED', 'BUG', 'IO', 'NO_COMPILER'] as const)('%s is not', (code) => {
    const refusals = createRefusals();
    expect(refusals.accept(plan('m'), failure(code, 'no'))).toBe(false);
    expect(refusals.leftOut()).toEqual([]);
  });

  test('of a module that the build needs is not', () => {
    expect(createRefusals().accept(plan('m', true), failure('CC', 'no'))).toBe(false);
  });

  test('of every module is that of the build', () => {
    const refusals = createRefusals();
    const first = failure('CC', 'first');
    refusals.accept(plan('a'), first);
    refusals.accept(plan('b'), failure('CC', 'second'));
    expect(refusals.unlessAnyHas([ok(undefined), ok(undefined)])).toBe(first);
    expect(refusals.unlessAnyHas([ok(undefined), ok(object)])).toBeUndefined();
    expect(refusals.unlessAnyHas([ok(undefined), err(failure('IO', 'other'))])).toBeUndefined();
    expect(createRefusals().unlessAnyHas([])).toBeUndefined();
  });
});

test.each([
  ['gcc: fatal error: Killed signal terminated program cc1', true],
  ['cc1: out of memory allocating 65536 bytes', true],
  ['/tmp/ccx.s: No space left on device', true],
  ['m.c:1: error: bad', false],
])('a build repeats what may succeed next time: %j %j', async (details, isOpen) => {
  const recording = new Recording();
  await recording.run(() => {
    createRefusals().accept(plan('m'), failure('CC', 'the compiler failed', {details}));
    return Promise.resolve();
  });
  expect(recording.gap() !== undefined).toBe(isOpen);
});

test.each([
  ["In file included\nm.c:1: error: it's bad\nmore", "the compiler failed: m.c:1: error: it's bad"],
  ['gcc: fatal error: Killed signal terminated program cc1', 'the compiler failed: gcc: fatal error: Killed'],
  ['m.c: warning: odd', 'the compiler failed'],
])('the warning names the reason: %j', (details, reason) => {
  const refusals = createRefusals();
  refusals.accept(plan('m'), failure('CC', 'the compiler failed', {details}));
  const warning = leftOutWarning(refusals.leftOut());
  expect(warning).toMatchObject({
    type: 'warning',
    message: expect.stringContaining(`m (/app/m.py): ${reason}`),
  });
});
