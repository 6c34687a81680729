/** A random program for each seed. */
import {posix} from 'node:path';
import {type Chance, chanceFrom} from '../../support/random.js';
import {
  type Edit,
  type Form,
  type FrozenModule,
  type ModuleFile,
  type Program,
  type ProgramFile,
  type Start,
  BYTECODES,
  TAG,
  ignoresEnvironment,
} from '../program.js';
import {importStatement, ownImport} from './imports.js';
import {layOut} from './layout.js';
import {failureStatement, trickStatement} from './tricks.js';
import {functionStatement, valueStatement} from './values.js';
import {type Place, type Profile, type World, ODD_ENCODINGS, oneIn, pick} from './world.js';

/** The same program for the same seed, always. */
export function generateProgram(profile: Profile, seed: number): Program {
  // Neighbouring seeds begin alike in this generator of numbers, and profiles are not to have their programs in common.
  const own = profile === 'programs' ? 0 : 0x5bd1e995;
  const chance = chanceFrom(Math.imul(seed + 1, 2_654_435_761) ^ own);
  for (let i = 0; i < 4; i++) chance.fraction();
  const world = layOut(chance, profile);
  const modules = world.places.map((place) => moduleFile(world, place));
  const start = makeStart(world);
  const main = start.form === 'module' ? mainModule(world, start) : [];
  const names = new Set<string>();
  const files = [...modules, ...main, ...world.others].filter(
    ({path}) => !names.has(path) && names.add(path),
  );
  const edits = oneIn(chance, profile === 'trees' ? 12 : 5) ? [edit(chance, modules)] : [];
  const compiles = files.some(isCompiledByOriginal) || edits.some(({how}) => how === 'touch');
  return {
    ...{name: `${profile}-${seed}`, files, frozen: asFound(world.frozen, start), edits},
    start: compiles ? withoutWriting(start) : start,
  };
}

const isCompiledByOriginal = (file: ProgramFile): boolean =>
  file.kind === 'module' && file.bytecode === 'none';

/**
 * What the original writes beside a source when it compiles it, a frozen interpreter does not: afterwards, loaders read another
 * number of files in each.
 */
function withoutWriting(start: Start): Start {
  return ignoresEnvironment(start.flags)
    ? {...start, flags: [...start.flags, '-B']}
    : {...start, environment: {...start.environment, PYTHONDONTWRITEBYTECODE: '1'}};
}

/**
 * Whether the compiler does nothing that a program can see: for identifiers that are not ASCII it imports `unicodedata`, for a
 * warning `linecache`. Nobody compiles a frozen module.
 */
const compilesQuietly = ({statements}: Pick<ModuleFile, 'statements'>): boolean =>
  statements.every((each) => !/[^\n\x20-\x7e]|invalid \\d escape|assert \(|\bis 5/.test(each));

/** By the paths that imports find them at: `site` makes entries absolute, without `.` and `..`. */
function asFound(frozen: readonly FrozenModule[], {flags}: Start): readonly FrozenModule[] {
  return ignoresEnvironment(flags)
    ? frozen
    : frozen.map(({name, path}) => ({name, path: posix.normalize(path)}));
}

function moduleFile(world: World, {name, path}: Place): ModuleFile {
  const {chance, profile} = world;
  const tricky = profile === 'trees' ? 4 : 14;
  const statements = [`print('enter', ascii(__name__))`];
  if (oneIn(chance, 2)) statements.unshift('"""The docstring\nof a module."""');
  statements.push(functionStatement(chance, 1));
  const count = 1 + chance.below(5);
  for (let i = 2; i < count + 2; i++) {
    if (oneIn(chance, tricky)) statements.push(trickStatement(world));
    else if (oneIn(chance, 2)) statements.push(importStatement(world, name));
    else if (oneIn(chance, 20)) statements.push(failureStatement(world));
    else if (oneIn(chance, 2)) statements.push(functionStatement(chance, i));
    else statements.push(valueStatement(chance, i));
  }
  const odd = profile === 'programs' ? 12 : 40;
  const encoding = oneIn(chance, odd) ? pick(chance, ODD_ENCODINGS) : 'utf-8';
  const chosen = oneIn(chance, odd / 2) ? pick(chance, BYTECODES) : 'current';
  // Without bytecode, the original imports the codec of the source, and a frozen module needs none.
  const isLoud = chosen === 'none' && !compilesQuietly({statements});
  const bytecode = encoding === 'utf-8' && !isLoud ? chosen : 'current';
  return {kind: 'module', path, statements, encoding, bytecode};
}

const FLAGS = [
  ['-B'],
  ['-s'],
  ['-I'],
  ['-E'],
  ['-O'],
  ['-OO'],
  ['-W', 'error'],
  ['-W', 'always'],
  ['-b'],
  ['-X', 'utf8'],
  ['-X', 'dev'],
  ['-X', 'no_debug_ranges'],
  ['-q'],
  ['-u'],
];
const FORMS: readonly Form[] = ['folder', 'zip', 'module', 'module', 'code', 'input'];

function makeStart(world: World): Start {
  const {chance, entries, profile} = world;
  const form = oneIn(chance, 2) ? 'script' : pick(chance, FORMS);
  const flags = oneIn(chance, 4) ? pick(chance, FLAGS) : [];
  const bySite = oneIn(chance, 5);
  // A program that runs nothing frozen proves nothing.
  const statements = [ownImport(world), ownImport(world)];
  const steps = 1 + chance.below(5);
  for (let i = 0; i < steps; i++)
    statements.push(
      oneIn(chance, profile === 'trees' ? 3 : 10) ? trickStatement(world) : importStatement(world),
    );
  const spoken = world.places.filter(({name}) => !/[\udc80-\udcff]/.test(name));
  const module = spoken.length === 0 ? `mod${TAG}` : pick(chance, spoken).name;
  const environment: Record<string, string> = {};
  if (oneIn(chance, 10)) environment['PYTHONDONTWRITEBYTECODE'] = '1';
  if (oneIn(chance, 20)) environment['PYTHONSAFEPATH'] = '1';
  return {
    ...{form, module, statements, flags, environment},
    path: bySite ? [] : entries,
    site: bySite ? entries : [],
  };
}

/** `-m` runs a module of the program, and of a package its `__main__`. */
function mainModule({places}: World, {module, statements}: Start): readonly ModuleFile[] {
  const place = places.find(({name, isPackage}) => name === module && isPackage);
  if (place === undefined) return [];
  const path = place.path.replace(/__init__\.py$/, '__main__.py');
  return [{kind: 'module', path, statements, encoding: 'utf-8', bytecode: 'current'}];
}

function edit(chance: Chance, modules: readonly ModuleFile[]): Edit {
  const module = pick(chance, modules);
  const how = pick(chance, ['rewrite', 'touch', 'remove', 'folder-beside', 'link'] as const);
  return {path: module.path, how: how === 'touch' && !compilesQuietly(module) ? 'rewrite' : how};
}
