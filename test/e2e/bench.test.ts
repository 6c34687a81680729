/**
 * The benchmark's suites in their shortest form: one interpreter, one round. That they measure, and what; not how fast
 * anything is.
 */
import {expect, jest, test} from '@jest/globals';
import {FROZEN, ratioOf} from '../../bench/ratios.js';
import {type Extent, QUANTITIES} from '../../bench/measuring.js';
import {type Row} from '../../bench/results.js';
import {measureProgram, presentPrograms} from '../../bench/suites/programs.js';
import {RUNTIME_PROGRAMS, measureRuntime, prepareRuntime} from '../../bench/suites/runtime.js';
import {measureStartup} from '../../bench/suites/startup.js';
import {measureUnused, prepareUnused} from '../../bench/suites/unused.js';
import {findPythons} from '../../support/pythons.js';
import {testWith} from '../support/with.js';

jest.setTimeout(20 * 60_000);

const SUBJECT = `relink-${findPythons().at(-1)?.series ?? ''}`;
const ONCE: Extent = {rounds: 1, quantities: new Set(QUANTITIES)};

/** The names of figures that are missing, or no figures. */
function missing(
  {sides}: Row,
  quantities: readonly ('wall' | 'faults' | 'instructions' | 'pss')[],
): string[] {
  return Object.entries(sides).flatMap(([side, measured]) =>
    quantities
      .filter((quantity) => {
        const value = measured[quantity];
        const number = typeof value === 'object' ? value?.median : value;
        return number === undefined || !Number.isFinite(number) || number <= 0;
      })
      .map((quantity) => `${side}: ${quantity}`),
  );
}

test('startup: measures all quantities of the same command in both interpreters', async () => {
  const rows = await measureStartup(SUBJECT, ONCE, ['-c pass', '-m json.tool']);
  const [pass, tool] = rows;
  if (pass === undefined || tool === undefined) throw new Error('there are two rows');
  expect(missing(pass, ['wall', 'faults', 'instructions', 'pss'])).toEqual([]);
  expect(missing(tool, ['wall', 'faults', 'instructions'])).toEqual([]);
  // Images save instructions, whatever else the machine does.
  for (const row of rows) expect(ratioOf(row, FROZEN, 'instructions')).toBeLessThan(1);
});

test('unused: frozen modules that are not imported take almost no instructions', async () => {
  const contest = await prepareUnused(SUBJECT, 5, false);
  const row = await measureUnused(contest, {rounds: 1, quantities: new Set(['instructions'])});
  expect(Object.keys(row.sides)).toEqual(['unmodified', 'frozen', 'few']);
  expect(ratioOf(row, ['frozen', 'few'], 'instructions')).toBeLessThan(1.02);
});

test('runtime: the cost of the start is subtracted', async () => {
  const contest = await prepareRuntime(SUBJECT);
  const [program = ''] = RUNTIME_PROGRAMS;
  const row = await measureRuntime(contest, program, {rounds: 1, quantities: new Set(['instructions'])});
  expect(missing(row, ['instructions'])).toEqual([]);
  // Specialised alike, and nearly all of it is the program itself.
  const ratio = ratioOf(row, FROZEN, 'instructions') ?? NaN;
  expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
});

// The one with the fewest modules.
const program = presentPrograms().find((name) => name === 'black');
testWith(program, 'black')('programs: all ways to run one', async () => {
  const row = await measureProgram(program ?? '', ONCE);
  expect(Object.keys(row.sides)).toEqual(['unmodified', 'plain', 'relink', 'graft', 'overlay', 'snapshot']);
  // Under valgrind, which counts them, each start is an ordinary one.
  expect(missing(row, ['wall', 'faults', 'instructions', 'pss'])).toEqual(['snapshot: instructions']);
});
