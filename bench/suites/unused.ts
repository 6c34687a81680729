/**
 * What frozen modules cost that nobody imports: a thousand of them, of the standard library and made for the purpose.
 *
 *     node bench/run.mjs unused [--on 'relink-3.13 overlay-3.13'] [--measure 'wall faults …'] [--rounds 60]
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {flashfreeze, run} from '../../support/rig.js';
import {findPythons} from '../../support/pythons.js';
import type {Contest} from '../contest.js';
import {FOLDER} from '../context.js';
import {type Extent, measure} from '../measuring.js';
import {say, sayRow, suiteOptions} from '../options.js';
import {FROZEN, type Pair} from '../ratios.js';
import {keepRows, type Row} from '../results.js';
import {makeContest, targetOptions} from '../subjects.js';

/** Besides the 600 of the standard library. */
const GENERATED = 500;

/** A module that no start imports. With what CPython freezes itself, it is all that the smaller interpreter has. */
const FEW = ['--module', 'colorsys'];

/**
 * What is compared: everything frozen, against nothing; and against what CPython freezes itself, which no selection leaves out,
 * so that all that lies between the two is modules that nobody imports.
 */
export const UNUSED_PAIRS: readonly Pair[] = [FROZEN, ['frozen', 'few']];

/**
 * An interpreter with so many modules that it does not import. A build directory of the tests has room for one interpreter: there
 * is none with few modules. Throws when there are fewer than that, or when it imports one.
 */
export async function prepareUnused(name: string, generated: number, stdlib: boolean): Promise<Contest> {
  const started = await startupModules(name);
  const selection = [
    ...['--trace', `'${writeModules(generated)}'`],
    ...(stdlib ? ['--stdlib'] : []),
    ...started.flatMap((each) => ['--exclude', each]),
  ];
  const few = name.startsWith('source') ? undefined : await makeContest(name, FEW, 'unused-few');
  const contest = await makeContest(name, selection, `unused-${generated}`);
  const modules = await imagesOf(contest);
  const imported = modules.filter((each) => each.isImported && !started.includes(each.name));
  if (modules.length < generated) throw new Error(`${name}: only ${modules.length} modules are frozen`);
  if (imported.length > 0) throw new Error(`${name}: somebody imports ${imported[0]?.name ?? ''}`);
  say(`${name}: ${modules.length} modules are frozen, none imported but what CPython freezes itself`);
  const [, side] = few?.sides ?? [];
  return side === undefined
    ? contest
    : {...contest, sides: [...contest.sides, {name: 'few', program: side.program}]};
}

export function measureUnused(contest: Contest, extent: Extent): Promise<Row> {
  return measure(contest, {name: '-c pass', words: ['-c', 'pass']}, extent);
}

async function startupModules(name: string): Promise<readonly string[]> {
  const done = await flashfreeze(['discover', ...(await targetOptions(name)), '--startup', '--quiet']);
  if (done.exitCode !== 0) throw new Error(done.stderr);
  return done.stdout.trim().split('\n');
}

interface Image {
  readonly name: string;
  readonly isImported: boolean;
}

async function imagesOf({sides}: Contest): Promise<readonly Image[]> {
  const [, frozen] = sides;
  if (frozen === undefined) throw new Error('there is nothing frozen');
  const {python, environment} = frozen.program;
  const code =
    'import sys, _flashfreeze; print(*(f"{name} {name in sys.modules}" for name, *_ in _flashfreeze.modules()), sep="\\n")';
  const done = await run(python, ['-c', code], {environment});
  if (done.exitCode !== 0) throw new Error(done.stderr);
  return done.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([module = '', isImported]) => ({name: module, isImported: isImported === 'True'}));
}

/** A program that imports so many modules of its own; gives its path. */
function writeModules(count: number): string {
  const folder = join(FOLDER, `unused-modules-${count}`);
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
    const row = await measureUnused(contest, options);
    sayRow(row, UNUSED_PAIRS);
    await keepRows('unused', [row]);
  }
}
