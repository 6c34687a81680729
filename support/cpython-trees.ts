/**
 * Source trees of CPython, and builds of them. Downloads, copies and built stage-1 interpreters stay in the tests' cache, so that only the
 * first run on a machine compiles CPython.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {obtainSource} from '../src/cpython/source/obtain-source.js';
import {scrubbedEnvironment} from '../src/exec/environment.js';
import {CACHE, flashfreezeJson} from './rig.js';

export interface ReleasedSource {
  /** As it was unpacked: nothing may change it. */
  readonly path: string;
  /** Such as `3.13.15`. */
  readonly version: string;
}

/** The source of a CPython release, downloaded once. Throws when that fails. */
export async function releasedSource(version: string): Promise<ReleasedSource> {
  const obtained = await obtainSource({
    version,
    cacheDir: CACHE,
    environment: scrubbedEnvironment(),
    signal: new AbortController().signal,
    log: () => undefined,
  });
  if (!obtained.ok) throw new Error(`${obtained.failure.message}\n${obtained.failure.details ?? ''}`);
  return obtained.value;
}

/** Copies a source tree, without bytecode. */
export function copyTree(from: string, to: string): void {
  const filter = (path: string): boolean => !path.endsWith('__pycache__');
  cpSync(from, to, {recursive: true, preserveTimestamps: true, verbatimSymlinks: true, filter});
}

/** The same, where the copy is not there yet; it is complete, or it is not there. */
export function copyTreeOnce(from: string, to: string): void {
  if (existsSync(to)) return;
  mkdirSync(dirname(to), {recursive: true});
  rmSync(`${to}.new`, {recursive: true, force: true});
  copyTree(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

/** Files of the standard library that tests edit. */
export const EDITABLE = [
  'Lib/json/decoder.py',
  'Lib/json/scanner.py',
  'Lib/os.py',
  'Lib/colorsys.py',
  'Lib/textwrap.py',
] as const;
export type Editable = (typeof EDITABLE)[number];

export interface Tree {
  /** A source tree that tests may edit through `edit`. */
  readonly source: string;
  readonly buildDir: string;
  /** Replaces a file's text. */
  readonly edit: (file: Editable, change: (text: string) => string) => void;
  /** Undoes all edits, of a killed test run too. */
  readonly restore: () => void;
}

/**
 * The source of a CPython release, in a copy that tests may edit, and a build directory that is kept between runs.
 * @param copy the directory of that copy below the cache, for tests that need one for themselves
 */
export async function prepareTree(release: string, copy = 'trees'): Promise<Tree> {
  const {path: pristine, version} = await releasedSource(release);
  const source = join(CACHE, copy, `Python-${version}`);
  copyTreeOnce(pristine, source);
  const restore = (): void => {
    for (const file of EDITABLE) {
      const [from, to] = [join(pristine, file), join(source, file)];
      if (!existsSync(to) || !readFileSync(from).equals(readFileSync(to))) copyFileSync(from, to);
    }
  };
  restore();
  return {
    source,
    buildDir: join(CACHE, 'builds', version),
    edit: (file, change) => {
      writeFileSync(join(source, file), change(readFileSync(join(source, file), 'utf8')));
    },
    restore,
  };
}

/** For configure: a CPython that is compiled in half the time, for tests of how it is put together. */
export const QUICKLY = 'OPT=-DNDEBUG -fwrapv -O1';

/** A CPython 3.13.15 that is configured in another way, in a build directory of its own, which is kept. */
export interface ConfiguredBuild {
  readonly tree: Tree;
  readonly buildDir: string;
  /** Builds again. */
  readonly build: () => ReturnType<typeof flashfreezeJson>;
}

/** Builds one, with the start and a few modules frozen, at `out`. Throws when that fails. */
export async function buildConfigured(
  name: string,
  configure: readonly string[],
  out: string,
): Promise<ConfiguredBuild> {
  const tree = await prepareTree('3.13.15');
  const buildDir = `${tree.buildDir}-${name}`;
  const build: ConfiguredBuild['build'] = () =>
    flashfreezeJson([
      ...['build', '--source', tree.source, '--build-dir', buildDir, '--out', out],
      ...configure.map((argument) => `--configure-arg=${argument}`),
      ...['--startup', '--trace', '-c "import json, argparse"'],
    ]);
  const {summary, stderr} = await build();
  if (!summary.ok || summary.output !== out) throw new Error(stderr);
  return {tree, buildDir, build};
}
