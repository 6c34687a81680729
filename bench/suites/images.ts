/**
 * What it takes to make images: all of the standard library's from nothing, with `python -m compileall` of the same files beside it, and
 * one after an edit; by this checkout, and by another one that is its state before. In 3.11, which freezes modules of the start itself,
 * its own `make python` after the same edit. CPython itself is built first, and kept.
 *
 *     node bench/run.mjs images [--before DIR]
 */
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import {quantile} from '../../src/inspect/statistics.js';
import {prepareTree, type Tree} from '../../support/cpython-trees.js';
import {gateOptions} from '../../support/gate-options.js';
import {CACHE, PACKAGE, run} from '../../support/rig.js';
import {type ImageCost, keepImageCosts} from '../building.js';
import {say} from '../options.js';

const RELEASE = '3.13.15';
/** Deepfreeze, a tool of CPython's own that writes C for modules of the start, was there in 3.11 and 3.12. */
const DEEPFROZEN = '3.11.2';
const EDITS = 5;

const usageSchema = z.object({exitCode: z.number(), cpu: z.number(), peak: z.number(), wall: z.number()});
type Usage = z.infer<typeof usageSchema>;

/** One checkout with a build directory of its own. */
interface Builder {
  readonly name: 'now' | 'before';
  readonly package: string;
  readonly folder: string;
}

export async function suite(words: readonly string[]): Promise<void> {
  const {before} = gateOptions(words, {values: ['before']}).values;
  const tree = await prepareTree(RELEASE, join('bench', 'trees'));
  const builders: Builder[] = [builderOf('now', PACKAGE)];
  if (before !== undefined) builders.push(builderOf('before', before));
  const older = await prepareTree(DEEPFROZEN, join('bench', 'trees'));
  const costs: ImageCost[] = [];
  const add = (what: string, by: string, {wall, cpu, peak}: Usage): void => {
    say(`${what}, ${by}: ${wall.toFixed(2)} s, ${cpu.toFixed(2)} s of processor time`);
    costs.push({what, by, wall, cpu, peak: Math.round(peak / 1024)});
  };
  for (const builder of builders) {
    await flashfreeze(builder, tree, 'build', ['--startup']);
    add('all images, from nothing', builder.name, await fromNothing(builder, tree));
  }
  const [now] = builders;
  if (now !== undefined) add('all images, from nothing', 'compileall -j2', await compileAll(now, tree));
  for (const builder of builders)
    add('an edit, to the new interpreter', builder.name, await edits(tree, buildStartup(builder, tree)));
  const edited = `the same in ${DEEPFROZEN}`;
  for (const builder of builders.map((each) => builderOf(each.name, each.package, DEEPFROZEN)))
    add(edited, builder.name, await edits(older, buildStartup(builder, older)));
  add(edited, 'make python', await edits(older, makeStartup(older)));
  await keepImageCosts(costs);
}

function builderOf(name: Builder['name'], from: string, release = RELEASE): Builder {
  const folder = join(CACHE, 'bench', 'images', release === RELEASE ? name : `${name}-${release}`);
  mkdirSync(folder, {recursive: true});
  return {name, package: from, folder};
}

/** The images of the whole standard library, where stage 1 is there and no result in a cache. */
async function fromNothing(builder: Builder, tree: Tree): Promise<Usage> {
  rmSync(join(builder.folder, 'build', 'images'), {recursive: true, force: true});
  const cache = mkdtempSync(join(builder.folder, 'cache-'));
  try {
    return await flashfreeze(builder, tree, 'regen', ['--stdlib'], cache);
  } finally {
    rmSync(cache, {recursive: true, force: true});
  }
}

/** How a new interpreter is made when a source has changed. */
type Rebuild = () => Promise<Usage>;

function buildStartup(builder: Builder, tree: Tree): Rebuild {
  return () => flashfreeze(builder, tree, 'build', ['--startup']);
}

/** CPython's own build, in a directory of its own. */
function makeStartup({source}: Tree): Rebuild {
  const folder = join(CACHE, 'bench', 'images', `make-${DEEPFROZEN}`);
  mkdirSync(folder, {recursive: true});
  const configure = '[ -e Makefile ] || "$0/configure" -q';
  return () => measured('sh', ['-c', `cd "$1" && { ${configure}; } && make -s -j2 python`, source, folder]);
}

/** The median of a few edits of one module of the start. */
async function edits(tree: Tree, rebuild: Rebuild): Promise<Usage> {
  const all: Usage[] = [];
  await rebuild();
  try {
    for (let i = 0; i < EDITS; i += 1) {
      tree.edit('Lib/os.py', (text) => `${text}\n_edited = ${i}\n`);
      all.push(await rebuild());
    }
  } finally {
    tree.restore();
    await rebuild();
  }
  const of = (key: keyof Usage): number =>
    quantile(
      all.map((each) => each[key]),
      0.5,
    );
  return {exitCode: 0, wall: of('wall'), cpu: of('cpu'), peak: of('peak')};
}

/** Python's own compiler, in as many processes, on the sources of the same modules. */
async function compileAll({folder}: Builder, tree: Tree): Promise<Usage> {
  const python = join(folder, 'python');
  const listed = await sourcesOf(folder, tree);
  const list = join(folder, 'sources');
  writeFileSync(list, listed.join('\n'));
  const cache = mkdtempSync(join(folder, 'bytecode-'));
  try {
    return await measured(
      python,
      ['-X', `pycache_prefix=${cache}`, '-m', 'compileall', '-q', '-f', '-j', '2', '-i', list],
      {PYTHONDONTWRITEBYTECODE: undefined},
    );
  } finally {
    rmSync(cache, {recursive: true, force: true});
  }
}

/** The sources of the standard library's modules that have images. */
async function sourcesOf(folder: string, tree: Tree): Promise<readonly string[]> {
  const words = [
    'discover',
    '--source',
    tree.source,
    '--build-dir',
    join(folder, 'build'),
    '--stdlib',
    '--quiet',
  ];
  const done = await run(process.execPath, [join(PACKAGE, 'bin/flashfreeze.mjs'), ...words], {cwd: folder});
  const sources = done.stdout
    .trim()
    .split('\n')
    .map((name) => join(tree.source, 'Lib', ...name.split('.')))
    .flatMap((path) => [`${path}.py`, join(path, '__init__.py')].filter((file) => existsSync(file)));
  if (sources.length < 500) throw new Error(`only ${sources.length} sources are listed: ${done.stderr}`);
  return sources;
}

async function flashfreeze(
  {package: from, folder}: Builder,
  tree: Tree,
  command: 'build' | 'regen',
  words: readonly string[],
  cache = join(folder, 'cache'),
): Promise<Usage> {
  return measured(process.execPath, [
    ...[join(from, 'bin/flashfreeze.mjs'), command, '--source', tree.source, '--quiet'],
    ...['--build-dir', join(folder, 'build'), '--cache-dir', cache],
    ...(command === 'build' ? ['--out', join(folder, 'python')] : []),
    ...words,
  ]);
}

/** Runs a command, and says what it and all that it started took. Throws when it fails. */
async function measured(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<Usage> {
  const script = join(PACKAGE, 'bench/usage.py');
  const done = await run('python3', ['-I', '-S', '-B', script, command, ...words], {environment});
  const usage = usageSchema.parse(JSON.parse(done.stdout.trim().split('\n').at(-1) ?? ''));
  if (usage.exitCode !== 0) throw new Error(`${command} ${words.join(' ')}: ${done.stderr}`);
  return usage;
}
