/**
 * What frozen modules cost that nobody imports: a thousand of them, of the standard library and made for the purpose.
 *
 *     node bench/run.mjs unused [--on 'relink-3.13 overlay-3.13'] [--measure 'wall faults …'] [--rounds 60]
 */
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {flashfreeze, run} from '../../test/e2e/rig.js';
import {findPythons} from '../../test/support/pythons.js';
import type {Contest} from '../contest.js';
import {FOLDER} from '../context.js';
import {type Extent, measure} from '../measuring.js';
import {say, sayRow, suiteOptions} from '../options.js';
import {FROZEN} from '../ratios.js';
import {keepRows, type Row} from '../results.js';
import {makeContest, targetOptions} from '../subjects.js';

/** Besides the 600 of the standard library. */
const GENERATED = 500;
/**
 * The one module of a start that is frozen: an interpreter that uses none of its images is taken for a failure when it is
 * linked. Without site it is not imported either.
 */
const SMALLEST = '_sitebuiltins';

const COMMANDS = [
  {name: '-c pass', words: ['-c', 'pass']},
  {name: '-S -c pass', words: ['-S', '-c', 'pass']},
];

/** An interpreter with as many modules that it does not import. Throws when there are fewer, or when it imports one. */
export async function prepareUnused(name: string, generated: number, stdlib: boolean): Promise<Contest> {
  const started = await startupModules(name);
  const selection = [
    ...['--trace', `'${writeModules(generated)}'`],
    ...(stdlib ? ['--stdlib'] : ['--module', SMALLEST]),
    ...started.filter((each) => each !== SMALLEST).flatMap((each) => ['--exclude', each]),
  ];
  const contest = await makeContest(name, selection, 'unused');
  const {frozen, used} = await imagesOf(contest);
  if (frozen < generated) throw new Error(`${name}: only ${frozen} modules are frozen`);
  if (used > 1) throw new Error(`${name}: ${used} of the modules that nobody imports are imported`);
  say(`${name}: ${frozen} modules are frozen, ${used} of them imported`);
  return contest;
}

export async function measureUnused(contest: Contest, extent: Extent): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const command of COMMANDS) rows.push(await measure(contest, command, extent));
  return rows;
}

async function startupModules(name: string): Promise<readonly string[]> {
  const done = await flashfreeze(['discover', ...(await targetOptions(name)), '--startup', '--quiet']);
  if (done.exitCode !== 0) throw new Error(done.stderr);
  return done.stdout.trim().split('\n');
}

async function imagesOf({sides}: Contest): Promise<{readonly frozen: number; readonly used: number}> {
  const [, frozen] = sides;
  if (frozen === undefined) throw new Error('there is nothing frozen');
  const {python, environment} = frozen.program;
  const code = 'import _flashfreeze as f; print(len(f.modules()), f.info()["used"])';
  const done = await run(python, ['-c', code], {environment});
  if (done.exitCode !== 0) throw new Error(done.stderr);
  const [count = NaN, used = NaN] = done.stdout.trim().split(' ').map(Number);
  return {frozen: count, used};
}

/** A program that imports so many modules of its own; gives its path. */
function writeModules(count: number): string {
  const folder = join(FOLDER, 'unused-modules');
  rmSync(folder, {recursive: true, force: true});
  mkdirSync(folder, {recursive: true});
  const names = Array.from({length: count}, (_, i) => `unused_${i}`);
  for (const [i, name] of names.entries()) writeFileSync(join(folder, `${name}.py`), moduleText(i));
  const main = join(folder, 'main.py');
  writeFileSync(main, names.map((name) => `import ${name}\n`).join(''));
  return main;
}

/** A module of the usual kind, with constants, functions and a class of its own. */
function moduleText(number: number): string {
  const functions = Array.from(
    {length: 8},
    (_, i) => `
def function_${i}(first, second=${number}, *rest, key_${i}='value ${number}.${i}'):
    """Does the ${i}th thing of module ${number}."""
    table = {'name_${number}_${i}': first, 'other': (second, ${number * i}, ${number / 7}, None)}
    for index, each in enumerate(rest):
        if each in {'red', 'green', 'blue_${i}'} or each == b'bytes ${number}':
            table[each] = [index + part for part in range(${i + 3})]
    return table
`,
  );
  return `"""Module ${number} of those that nobody imports."""
${functions.join('')}

class Class_${number}:
    kind = 'class ${number}'

    def __init__(self, value):
        self.value = value

    def method(self):
        return [function_0(self.value), function_1(self.kind)]
`;
}

export async function suite(words: readonly string[]): Promise<void> {
  const options = suiteOptions(words);
  const newest = findPythons().at(-1)?.series ?? '';
  const names = ['source-3.13.15', 'source-shared-3.13.15'].concat(
    ['relink', 'relink-pie', 'overlay'].map((kind) => `${kind}-${newest}`),
  );
  for (const name of options.on ?? names) {
    const contest = await prepareUnused(name, GENERATED, true);
    const rows = await measureUnused(contest, options);
    for (const row of rows) sayRow(row, [FROZEN]);
    await keepRows('unused', rows);
  }
}
