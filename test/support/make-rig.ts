/**
 * CPython builds with Makefile.inc for tests. Configured and built directories stay in the cache, one for each configuration.
 * By default the cheapest says it all; FLASHFREEZE_TEST_MAKE=all (or names, with commas) takes the others.
 */
import {copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {type Tree, prepareTree} from '../../support/cpython-trees.js';
import {
  CACHE,
  DEMONSTRATION,
  PACKAGE,
  type Run,
  type RunOptions,
  run,
  withoutUsersVariables,
} from '../../support/rig.js';

export interface Configuration {
  readonly name: string;
  readonly version: string;
  readonly configure: readonly string[];
  readonly inTree?: boolean;
  /** A build directory that has the same objects, because it was configured with the same flags for the compiler. */
  readonly objects?: string;
  /** This interpreter cannot have images. */
  readonly plain?: boolean;
  /** Each link optimises all of CPython, which takes a minute: what does not differ here is left to the others. */
  readonly slow?: boolean;
}

/** Less for the compiler to do, and no debugging information, which names directories; what is tested does not depend on it. */
export const QUICK = ['--disable-test-modules', 'OPT=-DNDEBUG -O1 -Wall'];
const CONFIGURATIONS: readonly Configuration[] = [
  {name: 'default', version: '3.13.15', configure: [], objects: join(DEMONSTRATION, 'cpython')},
  {name: 'shared', version: '3.13.15', configure: [...QUICK, '--enable-shared']},
  {name: 'lto', version: '3.13.15', configure: [...QUICK, '--with-lto'], slow: true},
  {
    name: 'pgo',
    version: '3.13.15',
    configure: [...QUICK, '--enable-optimizations', 'PROFILE_TASK=-m test test_json'],
  },
  {name: 'debug', version: '3.13.15', configure: ['--disable-test-modules', '--with-pydebug'], plain: true},
  {name: 'in-tree', version: '3.13.15', configure: QUICK, inTree: true},
  {name: 'default', version: '3.11.2', configure: QUICK},
  {name: 'shared', version: '3.11.2', configure: [...QUICK, '--enable-shared']},
];

const wanted = (process.env['FLASHFREEZE_TEST_MAKE'] ?? '3.13.15-default').split(',');
/** Whether a long test is asked for. */
export function isWanted(name: string): boolean {
  return wanted.includes('all') || wanted.includes(name);
}
/** What is to be tested. */
export const chosen = CONFIGURATIONS.filter(({name, version}) => isWanted(`${version}-${name}`));

const ENVIRONMENT = {
  ...withoutUsersVariables(/^(PYTHON|FLASHFREEZE|MAKE)/),
  FLASHFREEZE_HOME: PACKAGE,
  FLASHFREEZE_CACHE_DIR: join(CACHE, 'store'),
};

/** A build directory of a configuration. */
export interface MakeBuild {
  /** The directory. */
  readonly build: string;
  /** The source tree that it is made of: the directory itself when it is built in the tree. */
  readonly source: string;
  /** The tree that edits begin from. */
  readonly pristine: string;
  /** Configures and makes what is not there yet; what make says is for the caller to judge. */
  readonly prepare: () => Promise<Run>;
  readonly command: (file: string, args: readonly string[], options?: RunOptions) => Promise<Run>;
  readonly make: (...args: string[]) => Promise<Run>;
  /** What an expression comes to in the interpreter; `json` is imported. */
  readonly python: (code: string) => Promise<unknown>;
  readonly edit: Tree['edit'];
  /** Takes all edits back, with new times. */
  readonly restore: () => void;
}

export function makeBuildOf({name, version, configure, inTree = false, objects}: Configuration): MakeBuild {
  const build = join(CACHE, 'make', `${version}-${name}`);
  const pristine = join(CACHE, 'make', `Python-${version}`);
  let tree: Tree | undefined;
  const edited = new Set<string>();
  const command: MakeBuild['command'] = (file, args, options = {}) =>
    run(file, args, {cwd: build, ...options, environment: {...ENVIRONMENT, ...options.environment}});
  const make = (...args: string[]): Promise<Run> => command('make', ['-j2', ...args]);
  const copyInto = (file: string): void => {
    if (inTree) cpSync(join(pristine, file), join(build, file));
  };
  return {
    build,
    source: inTree ? build : pristine,
    pristine,
    command,
    make,
    async prepare() {
      tree = await prepareTree(version, 'make');
      if (inTree && !existsSync(build)) cpSync(pristine, build, {recursive: true, preserveTimestamps: true});
      mkdirSync(build, {recursive: true});
      cpSync(join(PACKAGE, 'examples/cpython-make/GNUmakefile'), join(build, 'GNUmakefile'));
      if (!existsSync(join(build, 'Makefile'))) {
        const done = await command(join(inTree ? '.' : pristine, 'configure'), ['-q', ...configure]);
        if (done.exitCode !== 0) throw new Error(done.stderr);
        if (objects !== undefined && existsSync(objects)) copyObjects(objects, build);
      }
      return make('-s');
    },
    async python(code) {
      const done = await command('./python', ['-B', '-c', `import json; print(json.dumps(${code}))`], {
        environment: {LD_LIBRARY_PATH: build},
      });
      if (done.exitCode !== 0) throw new Error(done.stderr);
      return JSON.parse(done.stdout) as unknown;
    },
    edit(file, change) {
      edited.add(file);
      tree?.edit(file, change);
      copyInto(file);
    },
    restore() {
      tree?.restore();
      edited.forEach(copyInto);
      edited.clear();
    },
  };
}

/** What decides what the compiler makes of a file: its command, and what it is told. */
function settingsOf(build: string): string {
  const variables =
    /^(CC|BASECFLAGS|OPT|CFLAGS|CPPFLAGS|CONFIGURE_C\w+|CFLAGS_\w+|CCSHARED|ABIFLAGS|MULTIARCH)=.*$/gm;
  const makefile = readFileSync(join(build, 'Makefile'), 'utf8').match(variables) ?? [];
  return [readFileSync(join(build, 'pyconfig.h'), 'utf8'), ...makefile].join('\n');
}

/**
 * Copies what the compiler made in a directory that was configured alike, so that make compiles only what has other paths in
 * it: getpath.o, and what depends on files that are generated later.
 */
function copyObjects(from: string, to: string): void {
  if (settingsOf(from) !== settingsOf(to)) return;
  const names = readdirSync(from, {recursive: true, encoding: 'utf8'});
  for (const name of names.filter((each) => each.endsWith('.o') && each !== 'Modules/getpath.o')) {
    mkdirSync(dirname(join(to, name)), {recursive: true});
    copyFileSync(join(from, name), join(to, name));
  }
}

/** What a make complained of. That setup.py of 3.11 renames scripts is no complaint. */
export function complaintsOf({stderr}: Run): string {
  return stderr.replaceAll(/^renaming build\/scripts-.*\n/gm, '');
}

/** The actions that a make was told of. */
export function actionsOf({stdout}: Run): string[] {
  return stdout.split('\n').flatMap((line) => /^([a-z]+:[\w.]+) {2}/.exec(line)?.[1] ?? []);
}
