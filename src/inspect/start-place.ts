import {copyFile, mkdir, readdir, realpath} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import {type Measurements, measureTime} from '../cpython/interpreter/measure.js';
import type {PythonCommand} from '../cpython/interpreter/python-command.js';
import {runProcess} from '../exec/process.js';
import {clearPath} from '../fs/removal.js';
import {ok, type Result} from '../model/result.js';
import {figureOf} from './statistics.js';
import {
  type BytecodePlaces,
  type StartCondition,
  conditionEnvironment,
  conditionWords,
} from './start-condition.js';

/** One way to start a program. */
export interface StartSide {
  readonly file: string;
  /** The path by which it is called, and from which it finds its library. */
  readonly name: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts of one program that are to be measured; the first side is the baseline. */
export interface StartsRequest {
  readonly command: PythonCommand;
  readonly sides: readonly [StartSide, ...StartSide[]];
  /** A new directory for bytecode, and for what measures. */
  readonly place: string;
  /** Files of this package that the sides read. */
  readonly files: readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** Makes empty directories for bytecode. Rejects with the error of the file system. */
export async function makeBytecodePlaces(place: string): Promise<BytecodePlaces> {
  const places = {filled: join(place, 'bytecode'), empty: join(place, 'no-bytecode')};
  for (const each of Object.values(places)) {
    await clearPath(each);
    await mkdir(each, {recursive: true});
  }
  return places;
}

/** How long a condition is measured, in milliseconds, and how often each side starts. */
const EXTENT = {
  warm: {budget: 4000, most: 40, least: 5},
  'no-bytecode': {budget: 3000, most: 20, least: 3},
  cold: {budget: 3000, most: 10, least: 3},
} as const satisfies Record<StartCondition, object>;
/** A start that compiles everything takes about so much longer. */
const COMPILING = 5;

/**
 * Measures all sides under a condition, in turn. Undefined for `cold` where the page cache keeps its pages. Fails with BENCH when a start
 * fails.
 * @param bytecode filled by a first start
 * @param took how long a warm start takes, in milliseconds
 */
export async function measureUnder(
  condition: StartCondition,
  request: StartsRequest,
  bytecode: BytecodePlaces,
  took: number,
): Promise<Result<readonly Measurements[] | undefined>> {
  const {command, sides, cwd, signal} = request;
  const {budget, most, least} = EXTENT[condition];
  const each = took * (condition === 'warm' ? 2 : 1 + COMPILING);
  const runner = await copyRunner(request);
  const measured = await measureTime(
    {...runner, environment: sides[0].environment, signal},
    {
      commands: sides.map(({file, name, environment}) => ({
        file,
        words: [name, ...conditionWords(command, condition, bytecode)],
        environment: conditionEnvironment(environment, condition, bytecode),
      })),
      rounds: Math.max(least, Math.min(most, Math.floor(budget / each))),
      cwd,
      evicted: condition === 'cold' ? await filesOfStarts(request, bytecode) : [],
    },
  );
  if (!measured.ok || condition !== 'cold') return measured;
  const isCold = measured.value.every(({reads}) => (figureOf(reads)?.median ?? 0) > 0);
  return ok(isCold ? measured.value : undefined);
}

/**
 * The files that starts read, as their `.pyc` files tell: these, every module in the directories of their sources, and the sides' own.
 */
export async function filesOfStarts(
  {sides, files}: Pick<StartsRequest, 'sides' | 'files'>,
  {filled}: BytecodePlaces,
): Promise<readonly string[]> {
  const bytecode = await filesBelow(filled);
  // A prefix of bytecode mirrors the whole path of a source.
  const folders = new Set(bytecode.map((file) => join('/', relative(filled, dirname(file)))));
  const modules: string[] = [];
  for (const folder of [...folders, ...[...folders].map((each) => join(each, 'lib-dynload'))]) {
    for (const entry of await readdir(folder, {withFileTypes: true}).catch(() => [])) {
      if (entry.isFile() && /\.(py|so)$/.test(entry.name)) modules.push(join(folder, entry.name));
    }
  }
  return [...(await Promise.all(sides.map(({file}) => realpath(file)))), ...files, ...bytecode, ...modules];
}

/** The files in a directory, at any depth, but for those that cannot be named: paths of bytecode need not be UTF-8. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, {withFileTypes: true}).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isFile()) found.push(path);
    else if (entry.isDirectory()) found.push(...(await filesBelow(path)));
  }
  return found;
}

/** A copy of the baseline that does the measuring, because what it has mapped cannot be evicted; itself where a copy does not run. */
async function copyRunner({
  sides: [{file, name, environment}],
  place,
  signal,
}: StartsRequest): Promise<{readonly python: string; readonly argv0: string}> {
  const python = join(place, 'runner');
  await copyFile(file, python);
  const started = await runProcess({
    ...{file: python, argv0: name, args: ['-I', '-S', '-c', 'import os'], cwd: '/', environment, signal},
  });
  const runs = started.ok && started.value.exitCode === 0;
  return {python: runs ? python : file, argv0: name};
}
