import {checkPaths} from '../../fs/memo.js';
import {acquireLock} from '../../engine/lock.js';
import {writeLastRun} from '../../engine/records/last-run.js';
import {partsOf} from '../../engine/keys.js';
import type {EventInput} from '../../model/events.js';
import type {ProcessContext} from '../process-context.js';
import {COMMANDS, readRunMemo, type RecordedRun, runQuestion, writeRunMemo} from './run-memo.js';

/**
 * The last run of this command line, if every path that it read or left is unchanged: then it has nothing to do, and repeats its
 * report without loading the code that builds. Holds the lock of the build directory during the check, as every run does;
 * also undefined if another run holds it.
 */
export async function recallRun(
  argv: readonly string[],
  processContext: ProcessContext,
): Promise<RecordedRun | undefined> {
  if (!argv.some((word) => COMMANDS.includes(word))) return undefined;
  const began = new Date();
  const question = runQuestion(argv, processContext);
  const memo = await readRunMemo(question);
  if (memo === undefined) return undefined;
  const {buildDir, actions} = memo.answer;
  const lock = await acquireLock(buildDir, {trustOthers: memo.answer.invocation.options['trust-cache']});
  if (!lock.ok) return undefined;
  try {
    const paths = checkPaths(memo.paths);
    if (paths === undefined) return undefined;
    if (!(await isSnapshotUpToDate(memo.answer, processContext))) return undefined;
    const fresh = actions.map(([id]) => id);
    const ms = Date.now() - began.getTime();
    await writeLastRun(buildDir, {run: began.toISOString(), ms, fresh, done: []});
    // Files that had just been written had to be read this time, but not the next time.
    if (paths.some(({content}, i) => content !== memo.paths[i]?.content)) {
      await writeRunMemo(question, {...memo, paths});
    }
    return memo.answer;
  } finally {
    await lock.value.release();
  }
}

/** What a snapshot depends on besides files, such as the user and the host, is the executable's own question: it is asked. */
async function isSnapshotUpToDate(
  {invocation: {command, options}, end: {output}}: RecordedRun,
  {environment, cwd}: ProcessContext,
): Promise<boolean> {
  if (command !== 'snapshot' || options.snapshot === false) return true;
  if (typeof output !== 'string') return false;
  const [{askExecutable}, {userEnvironmentOf}] = await Promise.all([
    import('../../hosts/snapshot/ask-executable.js'),
    import('../../hosts/snapshot/user-environment.js'),
  ]);
  const own = userEnvironmentOf({userEnvironment: environment});
  const asked = {file: output, calledAs: output, environment: own};
  return (await askExecutable(asked, {cwd, signal: new AbortController().signal})) === 'restored';
}

/** The events of a run's actions, now that all of them are up to date, and what it told that is still true. */
export function* eventsOf({actions, messages}: RecordedRun): Iterable<EventInput> {
  yield* messages;
  for (const [id, bytes] of actions) {
    const {step} = partsOf(id);
    const size = bytes === null ? {} : {bytes};
    yield {type: 'action-finished', id, step, outcome: 'fresh', reason: 'up to date', ms: 0, ...size};
  }
}
