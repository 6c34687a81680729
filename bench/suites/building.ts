/**
 * What a build takes: processor time of all processes, and the memory of the largest one, for more and more modules, all of
 * them new. The load of the machine matters little to either.
 *
 *     node bench/run.mjs building [--on '20 200 600 5000']
 */
import {mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import {CACHE, PACKAGE, run} from '../../support/rig.js';
import {findPythons} from '../../support/pythons.js';
import {type BuildCost, keepBuildCosts} from '../building.js';
import {say} from '../options.js';
import {gateOptions} from '../../support/gate-options.js';

const SIZES = [20, 200, 600, 5000];

const usageSchema = z.object({exitCode: z.number(), cpu: z.number(), peak: z.number()});
const eventSchema = z.object({type: z.string(), step: z.string().optional(), ms: z.number().optional()});

export async function suite(words: readonly string[]): Promise<void> {
  const asked = gateOptions(words, {values: ['on']}).values['on'];
  const sizes = asked?.split(/[\s,]+/).map(Number) ?? SIZES;
  if (!sizes.every((size) => Number.isInteger(size) && size > 0))
    throw new Error('--on takes numbers of modules');
  const costs: BuildCost[] = [];
  for (const size of sizes) {
    const cost = await build(size);
    say(`${size} modules: ${cost.cpu.toFixed(1)} s of processor time, at most ${cost.peak} MB in a process`);
    costs.push(cost);
  }
  await keepBuildCosts(costs);
}

/** Builds an interpreter with so many modules, with nothing in any cache. */
async function build(size: number): Promise<BuildCost> {
  const newest = findPythons().at(-1);
  if (newest === undefined) throw new Error('there is no Python');
  const folder = join(CACHE, 'bench', 'building');
  rmSync(folder, {recursive: true, force: true});
  try {
    const lines = await writeModules(newest.python, folder, size);
    const done = await run(
      newest.python,
      [
        ...['-I', '-S', '-B', join(PACKAGE, 'bench/usage.py')],
        ...[
          process.execPath,
          join(PACKAGE, 'bin/flashfreeze.mjs'),
          'relink',
          '--python',
          newest.python,
          '--json',
        ],
        ...[
          '--trace',
          join(folder, 'main.py'),
          '--out',
          join(folder, 'python'),
          '--build-dir',
          join(folder, 'build'),
        ],
        ...['--cache-dir', join(folder, 'cache')],
      ],
      {cwd: folder},
    );
    const answers = done.stdout.trim().split('\n');
    const {exitCode, cpu, peak} = usageSchema.parse(JSON.parse(answers.pop() ?? ''));
    if (exitCode !== 0) throw new Error(done.stderr);
    const events = answers.map((line) => eventSchema.parse(JSON.parse(line)));
    const steps = new Map<string, number>();
    for (const {type, step = '', ms = 0} of events) {
      if (type === 'action-finished') steps.set(step, (steps.get(step) ?? 0) + ms / 1000);
    }
    return {modules: size, lines, cpu, peak: Math.round(peak / 1024), steps: Object.fromEntries(steps)};
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** Has modules without executing them: copies of the standard library's do what those do. */
const MAIN = `import sys
from importlib.util import find_spec, module_from_spec
for number in range(%d):
    name = f"module_{number}"
    sys.modules[name] = module_from_spec(find_spec(name))
`;

/** So many modules, each like one of the standard library, none like another, and main.py with all of them; gives their lines. */
async function writeModules(python: string, folder: string, count: number): Promise<number> {
  const asked = await run(python, ['-S', '-c', 'import os; print(os.path.dirname(os.__file__))']);
  const library = asked.stdout.trim();
  const texts = readdirSync(library)
    .filter((name) => name.endsWith('.py'))
    .sort()
    .map((name) => readFileSync(join(library, name), 'utf8'));
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, 'main.py'), MAIN.replace('%d', String(count)));
  let lines = 0;
  for (let i = 0; i < count; i++) {
    const text = `${texts[i % texts.length] ?? ''}\n_number = ${i}\n`;
    lines += text.split('\n').length;
    writeFileSync(join(folder, `module_${i}.py`), text);
  }
  return lines;
}
