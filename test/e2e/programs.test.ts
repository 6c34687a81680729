/**
 * Real programs on the system's Python, frozen whole: what they print and how they end is what it always was, byte for
 * byte. A program that is not installed is left out, with a sentence.
 *
 *     apt-get install --no-install-recommends mercurial httpie yt-dlp black ansible-core python3-flask python3-pip
 *     FLASHFREEZE_PROGRAMS="mercurial black" npm test -- test/e2e/programs.test.ts
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {PROGRAMS, type Workplace} from '../../support/programs.js';
import {noteNotFound} from '../support/not-found.js';
import {
  DEBIAN_PYTHON,
  type Outcome,
  PROGRAM_HOSTS,
  freezeProgram,
  invoke,
  outcomesOf,
} from '../../support/program-outcomes.js';
import {CACHE} from '../../support/rig.js';
import {openWorkplace} from '../../support/workplace.js';

const HALF_AN_HOUR = 30 * 60_000;
const PLACES = {folder: join(CACHE, 'programs'), builds: join(CACHE, 'builds')};

const asked = (process.env['FLASHFREEZE_PROGRAMS'] ?? '').split(/[\s,]+/).filter((word) => word !== '');
const wanted = PROGRAMS.filter(({name}) => asked.length === 0 || asked.includes(name));
const present = existsSync(DEBIAN_PYTHON) ? wanted.filter(({needs}) => existsSync(needs)) : [];
const absent = wanted.filter((program) => !present.includes(program));

let work: Workplace;
let close: () => void;

beforeAll(async () => {
  ({work, close} = await openWorkplace());
});
afterAll(() => {
  close();
});

describe.each(present.map((program) => [program.name, program] as const))('%s', (_, program) => {
  let unmodified: readonly Outcome[];
  beforeAll(async () => {
    unmodified = await outcomesOf(work, program, DEBIAN_PYTHON);
    // Twice the same, or there is nothing to compare.
    expect(await outcomesOf(work, program, DEBIAN_PYTHON)).toEqual(unmodified);
  }, HALF_AN_HOUR);

  test.each(PROGRAM_HOSTS)(
    '%s: says what it always said',
    async (host) => {
      const python = await freezeProgram(work, program, host, PLACES);
      const code =
        'import _flashfreeze; print(_flashfreeze.info()["active"], len(_flashfreeze.modules()) > 20)';
      expect((await invoke(work, python, ['-c', code])).stdout).toBe('True True\n');
      expect(await outcomesOf(work, program, python)).toEqual(unmodified);
    },
    HALF_AN_HOUR,
  );
});

test('the programs that are installed', () => {
  for (const {name} of absent) noteNotFound(existsSync(DEBIAN_PYTHON) ? name : `${name} on ${DEBIAN_PYTHON}`);
  expect(new Set([...present, ...absent])).toEqual(new Set(wanted));
});
