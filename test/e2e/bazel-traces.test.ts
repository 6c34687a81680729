/** Programs that Bazel traces: the example's program by Bazel, and by `relink` on this machine. */
import {cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {type Answer, bazelRoot, bazelSession, executed, unpackPackage} from '../support/bazel.js';
import {CACHE, flashfreeze, run} from '../../support/rig.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(20 * 60_000);

const PYTHON = '/usr/bin/python3.11';
const root = await bazelRoot('bookworm'); // says why, where it cannot be had

const folder = join(CACHE, 'bazel-traces');
const made = join(folder, 'package', 'examples', 'bazel-workspace', 'bazel-bin', 'traced');

interface Plan {
  readonly modules: readonly {readonly name: string}[];
  readonly prepared: Readonly<Record<string, string>>;
}
const planOf = (name: string): Plan =>
  JSON.parse(readFileSync(join(made, `${name}.python.frozen`, 'plan.json'), 'utf8')) as Plan;
const namesOf = ({modules}: Plan): readonly string[] => modules.map(({name}) => name);

describeWith(root, 'Bazel 4')('Bazel 4.2.3, Python 3.11, linked anew', () => {
  let answers: ReadonlyMap<string, Answer>;
  const log = (name: string): string => join(folder, 'logs', `${name}.json`);

  beforeAll(async () => {
    for (const part of ['package', 'answers', 'logs'])
      rmSync(join(folder, part), {recursive: true, force: true});
    mkdirSync(join(folder, 'logs'), {recursive: true});
    const {workspace} = unpackPackage(join(folder, 'package'));
    const build = (name: string, target: string): {name: string; line: string} => ({
      name,
      line: `bazel '${join(folder, 'base')}' build ${target} --execution_log_json_file='${log(name)}'`,
    });
    answers = await bazelSession(root ?? '', 'bookworm', folder, workspace, [
      {
        name: 'python',
        line: `sed -i 's/"python3"/"python3.11"/' WORKSPACE && sed -i 's/"overlay"$/"relink"/' options.bzl`,
      },
      build('build', '//traced'),
      {name: 'run', line: 'bazel-bin/traced/traced traced/numbers.csv'},
      build('failing', '//traced:failing'),
    ]);
  });

  test('what the program imports is frozen, in that order', () => {
    expect(answers.get('build')).toMatchObject({exitCode: 0});
    expect(answers.get('run')).toMatchObject({exitCode: 0, text: expect.stringContaining('mean 2023.5')});
    const names = namesOf(planOf('traced'));
    expect(names).toEqual(expect.arrayContaining(['cli', 'columns.summary', 'argparse', 'json.encoder']));
    expect(names).not.toContain('queue');
    expect(names.indexOf('argparse')).toBeLessThan(names.indexOf('columns.reading'));
    const {expressions = '[]', snippets = '[]'} = planOf('traced').prepared;
    // Of json.decoder.
    expect(JSON.parse(expressions)).toContainEqual(
      expect.objectContaining({text: String.raw`[ \t\n\r]*`, groups: 0}),
    );
    expect(JSON.parse(snippets)).toEqual(expect.arrayContaining([expect.objectContaining({mode: 'exec'})]));
    expect(executed(log('build')).filter(({mnemonic}) => mnemonic === 'FreezeTrace')).toHaveLength(1);
  });

  test('a program that fails fails the build', () => {
    expect(answers.get('failing')?.exitCode).toBe(1);
    expect(answers.get('failing')?.text).toMatch(
      /error\[TRACE\]: the traced program "python .*failing\.start\.py --no-such-option" ended with exit code 2\n.*tally: error: .*\n *hint: a program that is traced/s,
    );
  });

  test('takes as many instructions as what relink makes', async () => {
    const missing = [PYTHON, 'valgrind'].filter((name) => !existsSync(resolve('/usr/bin', name)));
    if (missing.length > 0) {
      process.stderr.write(`${missing.join(', ')}: not here, so instructions are not compared\n`);
      return;
    }
    const runfiles = join(made, 'traced.runfiles');
    const cwd = join(runfiles, 'example'); // as with `bazel run`
    const start = join(cwd, 'traced', 'traced.start.py');
    const out = join(folder, 'relinked');
    const words = ['relink', '--python', PYTHON, '--out', out, '--build-dir', join(folder, 'build')];
    const traces = ['traced/numbers.csv', '--json traced/numbers.csv'].flatMap((line) => [
      '--trace',
      `'${start}' ${line}`,
    ]);
    expect(await flashfreeze([...words, ...traces], {cwd})).toMatchObject({exitCode: 0});
    // At the same path, which each start of a Python takes apart.
    const python = join(folder, 'measured', 'python');
    const instructions = async (from: string): Promise<number> => {
      rmSync(join(python, '..'), {recursive: true, force: true});
      cpSync(from, python);
      if (existsSync(`${from}.stamps`)) cpSync(`${from}.stamps`, `${python}.stamps`);
      const done = await run(
        'valgrind',
        // Without what the packages of this machine have each start import.
        ['--tool=callgrind', '--callgrind-out-file=/dev/null', python, '-S', start, 'traced/numbers.csv'],
        {cwd, environment: {FLASHFREEZE_ROOT: runfiles, PYTHONHASHSEED: '0'}},
      );
      expect(done.stdout).toContain('mean 2023.5');
      return Number(/Collected : (\d+)/.exec(done.stderr)?.[1]);
    };
    const bazel = await instructions(realpathSync(join(made, 'traced.python')));
    const relink = await instructions(out);
    expect(Math.abs(bazel / relink - 1)).toBeLessThan(0.01);
    // The images are in use.
    expect(relink / (await instructions(PYTHON))).toBeLessThan(0.8);
  });
});
