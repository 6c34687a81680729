/** Snapshots of one CPython for tests: the command that builds them, and starts in the surroundings of their imports. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from '@jest/globals';
import {QUICKLY, prepareTree} from '../../support/cpython-trees.js';
import {type JsonRun, type Run, flashfreezeJson, run, withoutUsersVariables} from '../../support/rig.js';

export const STATE = 'import _flashfreeze; print(_flashfreeze.info()["snapshot"])';

export interface SnapshotRig {
  /** The site-packages of the user. */
  readonly packages: string;
  /** The executable with the snapshot. */
  readonly out: string;
  readonly source: string;
  /** Stage 1: the same CPython without images or a snapshot. */
  readonly unmodified: string;
  /** What the command needs besides modules. */
  readonly words: readonly string[];
  readonly buildDir: string;
  /** The environment of builds and starts. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly build: (...words: readonly string[]) => Promise<JsonRun>;
  /** With more variables. */
  readonly buildWith: (
    variables: Readonly<Record<string, string>>,
    ...words: readonly string[]
  ) => Promise<JsonRun>;
  /** Runs a Python in the surroundings of the snapshot, but for what is given. */
  readonly start: (
    python: string,
    args: readonly string[],
    options?: Parameters<typeof run>[2],
  ) => Promise<Run>;
  /** What a start says of the snapshot; by default one of the executable. */
  readonly stateOf: (
    python?: string,
    args?: readonly string[],
    options?: Parameters<typeof run>[2],
  ) => Promise<string>;
  /** A run without what depends on which of the two executables it is of: its path, and addresses. */
  readonly plain: (run: Run) => Run;
}

export async function snapshotRig(folder: string, release = '3.13.15'): Promise<SnapshotRig> {
  const home = join(folder, 'home');
  const packages = join(home, `.local/lib/python${release.replace(/\.\d+$/, '')}/site-packages`);
  const out = join(folder, 'bin', 'python');
  const tree = await prepareTree(release);
  const buildDir = `${tree.buildDir}-snapshot`;
  // Without the variables of the runner that mean an ordinary start.
  const environment = {...withoutUsersVariables(), HOME: home, LANG: 'C.UTF-8', LC_ALL: undefined};
  mkdirSync(packages, {recursive: true});
  const words = [
    ...['--source', tree.source, '--build-dir', buildDir, '--out', out],
    `--configure-arg=${QUICKLY}`,
  ];
  const start: SnapshotRig['start'] = (python, args, options = {}) =>
    run(python, args, {cwd: folder, ...options, environment: {...environment, ...options.environment}});
  const unmodified = join(buildDir, 'cpython', 'python');
  const common = (text: string): string =>
    text
      .replaceAll(unmodified, 'PYTHON')
      .replaceAll(out, 'PYTHON')
      .replaceAll(/0x[0-9a-f]+/g, '0x');
  return {
    ...{packages, out, source: tree.source, unmodified},
    plain: ({exitCode, stdout, stderr}) => ({exitCode, stdout: common(stdout), stderr: common(stderr)}),
    ...{words, buildDir, environment},
    build: (...more) => flashfreezeJson(['snapshot', ...words, ...more], {environment, cwd: folder}),
    buildWith: (variables, ...more) =>
      flashfreezeJson(['snapshot', ...words, ...more], {
        environment: {...environment, ...variables},
        cwd: folder,
      }),
    start,
    async stateOf(python = out, args = ['-c', STATE], options = {}) {
      const done = await start(python, args, options);
      expect(done).toMatchObject({exitCode: 0, stderr: ''});
      return done.stdout.trim();
    },
  };
}
