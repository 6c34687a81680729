/**
 * Where static code could behave differently, or must not be used at all. Each scenario (fallbacks/*.py) runs in the frozen
 * interpreter and in the unmodified one: what they see is equal, and the code is static where it may be.
 *
 *     FLASHFREEZE_SUBJECTS="source-3.13.15 relink-3.10" npm test -- test/e2e/fallbacks.test.ts
 */
import {chmodSync, cpSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import type {Side, Subject} from '../support/subject.js';
import {prepareSubject, presentSubjects} from '../support/subjects.js';
import {flashfreeze} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

const SCENARIOS = join(import.meta.dirname, 'fallbacks');
const HALF_AN_HOUR = 30 * 60_000;
const folder = temporaryDirectory('fallbacks');

interface Answer {
  readonly same: unknown;
  readonly static: readonly (boolean | null)[];
}

function answersIn(stdout: string): Answer[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"same"'));
  return lines.map((line) => JSON.parse(line) as Answer);
}

/** Nothing writes into the library; the unmodified interpreter keeps its bytecode elsewhere, or it would compile all day. */
function byteCode(side: Side): Record<string, string> {
  return side === 'frozen' ? {PYTHONDONTWRITEBYTECODE: '1'} : {PYTHONPYCACHEPREFIX: join(folder, 'cache')};
}

/** What a scenario answered; throws when it failed. Hash seeds differ from run to run, as they do everywhere. */
async function scenario(
  {python}: Subject,
  side: Side,
  name: string,
  options: readonly string[],
): Promise<Answer> {
  const done = await python[side]([...options, join(SCENARIOS, `${name}.py`)], {
    folders: [folder, SCENARIOS],
    environment: byteCode(side),
  });
  const [answer] = answersIn(done.stdout);
  if (done.exitCode !== 0 || answer === undefined)
    throw new Error(`${name} ended with ${done.exitCode}:\n${done.stdout.slice(-2000)}\n${done.stderr}`);
  return answer;
}

describe.each(await presentSubjects())('%s', (name) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await prepareSubject(name);
  }, HALF_AN_HOUR);

  test.each<[string, string, string[], boolean]>([
    ['threads that import at once', 'threads_import', [], true],
    ['fork, and imports in the children', 'fork', [], true],
    ['sys.settrace and sys.setprofile', 'tracing', [], true],
    ['sys.monitoring', 'monitoring', [], true],
    ['tracemalloc, gc.freeze and collections during imports', 'memory', [], true],
    ['weak references to code', 'weak_references', [], true],
    ['code.replace() and what else is done with code', 'code_objects', [], true],
    ['code watchers', 'watchers', [], true],
    ['subinterpreters, with the lock of all and with their own', 'subinterpreters', [], true],
    ['imports beyond the limit of recursion', 'deep_imports', [], true],
    ['module objects that are gone', 'module_objects', [], true],
    ['a look at importlib and re', 'introspection', [], true],
    ['no option', 'optimised', [], true],
    ['-X dev', 'optimised', ['-X', 'dev'], true],
    ['-O', 'optimised', ['-O'], false],
    ['-OO', 'optimised', ['-OO'], false],
  ])(
    '%s',
    async (_, script, options, isStatic) => {
      const unmodified = await scenario(subject, 'unmodified', script, options);
      const frozen = await scenario(subject, 'frozen', script, options);
      expect(frozen.same).toEqual(unmodified.same);
      expect(frozen.static).toEqual([isStatic]);
    },
    120_000,
  );

  test('-X no_debug_ranges', async () => {
    const options = ['-X', 'no_debug_ranges'];
    const unmodified = await scenario(subject, 'unmodified', 'optimised', options);
    const frozen = await scenario(subject, 'frozen', 'optimised', options);
    expect(frozen.same).toEqual(unmodified.same);
    // 3.10 has no such option and ignores it: there is nothing to fall back from.
    expect(frozen.static).toEqual([subject.series === '3.10']);
  }, 60_000);

  test('initialised and finalised three times in one process', async () => {
    const include = await subject.python.unmodified([
      ...['-S', '-c'],
      'import sysconfig as s, os; print(s.get_path("include"), os.path.dirname(s.get_config_h_filename()), sep="\\n")',
    ]);
    const folders = include.stdout.trim().split('\n');
    const library = join(folder, `lives-${name}.so`);
    const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', ...folders.map((each) => `-I${each}`)];
    const compiled = await subject.tool(['cc', ...flags, '-o', library, join(SCENARIOS, 'lives.c')], {
      folders: [folder, SCENARIOS],
    });
    expect(compiled).toMatchObject({exitCode: 0, stderr: ''});
    const live = async (side: Side): Promise<Answer[]> => {
      const done = await subject.python[side]([join(SCENARIOS, 'lives.py')], {
        environment: {LD_PRELOAD: library, ...byteCode(side)},
        folders: [folder, SCENARIOS],
      });
      expect(done).toMatchObject({exitCode: 0, stderr: ''});
      return answersIn(done.stdout);
    };
    const frozen = await live('frozen');
    const unmodified = await live('unmodified');
    expect(frozen.map(({same}) => same)).toEqual(unmodified.map(({same}) => same));
    expect(frozen.map((each) => each.static)).toEqual([[true], [false], [false]]);
  }, 120_000);

  if (name === 'overlay-3.15') {
    test('an overlay of 3.15 is loaded by a .start file alone, too', async () => {
      const [out, place] = [join(subject.frozen, '../..'), join(folder, 'start')];
      mkdirSync(place);
      for (const file of ['flashfreeze.start', 'flashfreeze_start.py'])
        cpSync(join(out, file), join(place, file));
      const code =
        'import site, sys; site.addsitedir(sys.argv[1]); import json, _flashfreeze as f; ' +
        'print(f.is_static(json.loads.__code__), "flashfreeze_start" in sys.modules)';
      const args = ['-I', '-B', '-c', code, place];
      const done = await subject.python.unmodified(args, {folders: [out, place]});
      expect(done).toEqual({exitCode: 0, stdout: 'True False\n', stderr: ''});
    });
  }
});

/**
 * Debug and free-threaded builds cannot have static code and are rejected. Here an ordinary Python pretends to have their
 * `sysconfig` values: flashfreeze reads nothing else of them first.
 */
describe.each<[string, string, RegExp]>([
  ['a debug build', 'Py_DEBUG', /debug/i],
  ['a free-threaded build', 'Py_GIL_DISABLED', /free-threaded/i],
])('%s is rejected with an error message', (_, variable, sentence) => {
  const [real] = findPythons().slice(-1);
  const python = join(folder, `python-${variable}`);
  beforeAll(() => {
    writeFileSync(
      python,
      `#!/bin/sh
exec "${real?.python ?? ''}" -B -c 'import sys, sysconfig, runpy
sysconfig.get_config_vars()["${variable}"] = 1
script = next(i for i, word in enumerate(sys.argv) if word.endswith(".py"))
sys.argv = sys.argv[script:]
sys.path.insert(0, "")
runpy.run_path(sys.argv[0], run_name="__main__")' "$@"
`,
    );
    chmodSync(python, 0o755);
  });

  test.each([
    ['relink', join(folder, 'refused')],
    ['overlay', join(folder, 'refused-overlay')],
  ])(
    '%s',
    async (command, out) => {
      const done = await flashfreeze([command, '--python', python, '--out', out, '--startup']);
      expect(done.exitCode).toBe(2);
      expect(done.stderr).toMatch(/error\[[A-Z0-9_]+\]/);
      expect(done.stderr).toMatch(sentence);
      expect(done.stderr).toMatch(/^hint: /m);
    },
    60_000,
  );
});
