/**
 * The short form of the fuzzer (README.md): what was found before, and some programs and import trees, in one build.
 */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {eventually} from '../support/processes.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {findPythons} from '../../support/pythons.js';
import {keptPrograms, targetOf} from './fuzz.js';
import {generateProgram} from './generate/generate.js';
import {type Verdict, judge} from './judge.js';
import type {Program} from './program.js';
import {runProgram} from './run-program.js';
import {sleepingGroup} from './sleeping-group.js';

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

test('where the original compiles a module, it writes no bytecode', () => {
  const programs = [...Array(300).keys()].map((seed) => generateProgram('programs', seed));
  const compiling = programs.filter(({files, edits}) =>
    [...files.map((file) => file.kind === 'module' && file.bytecode), ...edits.map(({how}) => how)].some(
      (each) => each === 'none' || each === 'touch',
    ),
  );
  expect(compiling.length).toBeGreaterThan(20);
  for (const {start} of compiling)
    expect(start.flags.includes('-B') || start.environment['PYTHONDONTWRITEBYTECODE'] === '1').toBe(true);
});

test('a program that waits is told from one that is busy', async () => {
  const waiting = spawn('sh', ['-c', 'sleep 600; true'], {detached: true, stdio: 'ignore'});
  const busy = spawn('sh', ['-c', 'while true; do true; done'], {detached: true, stdio: 'ignore'});
  try {
    const [sleeper = 0, worker = 0] = [waiting.pid, busy.pid];
    const isAsleep = (): boolean => sleepingGroup(sleeper)?.split(' ').length === 2;
    expect(await eventually(isAsleep)).toBe(true);
    expect(sleepingGroup(sleeper)).toBe(sleepingGroup(sleeper));
    expect(await eventually(() => sleepingGroup(worker) === undefined)).toBe(true);
  } finally {
    for (const each of [waiting, busy]) process.kill(-(each.pid ?? 0), 'SIGKILL');
  }
});

/** Threads that start threads: they use hardly any time, and one of them always wakes. */
const THREADS = `import threading, time
def again():
    time.sleep(0.02)
    threading.Thread(target=again).start()
    time.sleep(2)
again()`;

test('a program whose threads start threads without end is stopped', async () => {
  const start = {
    form: 'code',
    module: '',
    statements: [THREADS],
    flags: [],
    environment: {},
    path: [],
    site: [],
  } as const;
  const program: Program = {name: 'threads', files: [], frozen: [], start, edits: []};
  const python = findPythons().at(-1)?.python ?? '';
  const {end} = await runProgram({program, tag: 't0000', folder: temporaryDirectory('threads')}, python);
  expect(end).toBe('hangs');
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
