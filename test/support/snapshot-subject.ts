import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {QUICKLY, prepareTree} from '../../support/cpython-trees.js';
import {makeFrozen} from '../../support/frozen-pythons.js';
import {PACKAGE, type Run, flashfreeze, withoutUsersVariables} from '../../support/rig.js';
import type {Python, RunPython, Side, Subject} from './subject.js';

/** CPython's test runner, whose processes may start from a snapshot. */
const RUN_SUITE = join(PACKAGE, 'test/support/run_suite.py');

type LocalPython = (file: string) => Python;

/**
 * An executable with a snapshot, beside the interpreter from which it was made. CPython's tests run in processes that start from the
 * snapshot: a run in which that is not so throws.
 */
export async function prepareSnapshot(
  name: string,
  {version, selection}: {readonly version: string; readonly selection: readonly string[]},
  {localPython, tool}: {readonly localPython: LocalPython; readonly tool: Subject['tool']},
): Promise<Subject> {
  const tree = await prepareTree(version);
  // Not that of other tests, which link another executable meanwhile.
  const buildDir = `${tree.buildDir}-snapshot-suite`;
  const cpython = join(buildDir, 'cpython');
  const pythons = {unmodified: join(cpython, 'python'), frozen: join(cpython, 'python-tests')};
  await makeFrozen(
    [
      ...['snapshot', '--source', tree.source, '--build-dir', buildDir, '--out', pythons.frozen],
      ...[`--configure-arg=${QUICKLY}`, ...selection],
    ],
    {environment: {...withoutUsersVariables(), LANG: 'C.UTF-8', LC_ALL: undefined}},
  );
  const series = version.split('.').slice(0, 2).join('.');
  return {
    ...{
      name,
      host: 'snapshot',
      series,
      frozen: pythons.frozen,
      source: tree.source,
      buildDir,
      flashfreeze,
      tool,
    },
    python: {unmodified: localPython(pythons.unmodified), frozen: localPython(pythons.frozen)},
    // Both lie in the build directory, in which CPython's own tests find what they need.
    forTests: (side) => (args, options) =>
      runTests(localPython, {side, python: pythons[side]}, args, options),
  };
}

/** Runs `-m test` with `args` behind it. Throws when processes of the tests did not start from the snapshot. */
async function runTests(
  localPython: LocalPython,
  {python, side}: {readonly python: string; readonly side: Side},
  [option, module, ...args]: readonly string[],
  options: RunPython = {},
): Promise<Run> {
  if (option !== '-m' || module !== 'test') throw new Error(`${option ?? ''} ${module ?? ''} is not -m test`);
  const log = `${python}.starts`;
  rmSync(log, {force: true});
  const done = await localPython(python)([RUN_SUITE, '--python', `${python} ${RUN_SUITE}`, ...args], {
    ...options,
    environment: {...options.environment, SUITE_STARTS: log},
  });
  const starts = readFileSync(log, 'utf8').trimEnd().split('\n');
  const others = starts.filter((state) => state !== 'restored');
  if (side === 'frozen') {
    const counted = `${starts.length - others.length} of ${starts.length} starts were restored`;
    options.onOutput?.(`${counted}\n${[...new Set(others)].join('\n')}\n`);
    // Tests put files into the library, and take them away again.
    if (others.length > starts.length / 20) throw new Error(`${counted}: ${[...new Set(others)].join('; ')}`);
  }
  return done;
}
