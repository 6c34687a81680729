/**
 * The short form of the fuzzer (README.md): what was found before, and some programs and import trees, in one build.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {keptPrograms, targetOf} from './fuzz.js';
import {generateProgram} from './generate/generate.js';
import {type Verdict, judge} from './judge.js';
import type {Program} from './program.js';

const KEPT = join(import.meta.dirname, 'regressions');
const TEN_MINUTES = 10 * 60_000;

function programs(): readonly Program[] {
  const seeds = [...Array(9).keys()];
  return [
    ...(existsSync(KEPT) ? keptPrograms(KEPT) : []),
    ...seeds.map((seed) => generateProgram('programs', seed)),
    ...seeds.map((seed) => generateProgram('trees', seed)),
  ];
}

const briefly = ({program, difference}: Verdict): unknown => ({
  program: program.name,
  difference: difference ?? null,
});

test('a seed gives the same program each time, and another seed another one', () => {
  expect(generateProgram('trees', 5)).toEqual(generateProgram('trees', 5));
  expect(generateProgram('trees', 5)).not.toEqual(generateProgram('trees', 6));
  expect(generateProgram('trees', 5)).not.toEqual(generateProgram('programs', 5));
});

describe.each(
  findPythons()
    .slice(-1)
    .map(({series, python}) => [series, python] as const),
)('Python %s', (_, python) => {
  test(
    'programs cannot tell the frozen interpreter from the original',
    async () => {
      const verdicts = await judge(targetOf('relink', python), programs());
      expect(verdicts.filter(({difference}) => difference !== undefined).map(briefly)).toEqual([]);
      // Otherwise nothing was compared.
      expect(verdicts.filter((each) => each.static > 0).length).toBeGreaterThan(verdicts.length / 4);
      expect(verdicts.filter(({unstable}) => unstable !== undefined).length).toBeLessThan(
        verdicts.length / 5,
      );
    },
    TEN_MINUTES,
  );

  test(
    'a difference is noticed',
    async () => {
      const differing: Program = {
        ...generateProgram('programs', 0),
        ...{name: 'telling', files: [], frozen: [], edits: []},
        start: {
          ...{form: 'script', module: '', flags: [], environment: {}, path: [], site: []},
          statements: ["import sys; print('_flashfreeze' in sys.builtin_module_names)"],
        },
      };
      const [verdict] = await judge(targetOf('relink', python), [differing]);
      expect(verdict?.difference).toMatchObject({
        part: 'stdout',
        original: expect.stringContaining('False'),
      });
    },
    TEN_MINUTES,
  );
});
