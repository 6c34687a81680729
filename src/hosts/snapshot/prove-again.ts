import {randomBytes, randomInt} from 'node:crypto';
import {join} from 'node:path';
import {exactStatSync, realpath} from '../../fs/recorded-fs.js';
import {clearFile} from '../../fs/removal.js';
import {withTemporaryFolder} from '../../fs/temporary-folder.js';
import type {Failure} from '../../model/failure.js';
import {ok, type Result} from '../../model/result.js';
import type {HostContext} from '../../pipeline/build-options.js';
import type {Site} from '../../pipeline/host.js';
import {askExecutable} from './ask-executable.js';
import {compareDumps} from './compare-dumps.js';
import {type DumpHeader, readHeader, readObjects} from './dump-format.js';
import {HERE} from './dump-place.js';
import {unpackSnapshot} from './pack-snapshot.js';
import {importOfProgram} from './program-entry.js';
import {type Dumper, dumpPlaced} from './run-dump.js';
import type {ExecutableContents, SnapshotContents} from './snapshot-contents.js';
import {symbolsOf, unexplainedFailure, withoutExplained} from './unexplained.js';
import {userEnvironmentOf} from './user-environment.js';

/** Whether a process of now does what the snapshot holds. */
export type ProvedAgain =
  | {readonly kind: 'equal'}
  /** The imports cannot be run as they were. */
  | {readonly kind: 'not-run'; readonly reason: string}
  | {readonly kind: 'differs'; readonly failure: Failure};

/** An executable with a snapshot. */
export interface ExecutableFile extends ExecutableContents {
  readonly path: string;
  readonly bytes: Buffer;
  readonly snapshot: SnapshotContents;
}

/**
 * Runs the imports of a snapshot in one more process, and compares the memory with that in the file: the process has another number, time, address
 * space and environment. All else is as it was, because Python allocates for what it sees of its surroundings, such as each directory in its path: then
 * the same objects have other addresses. Fails with IO, and without `nm`.
 */
export async function proveAgain(
  {path, bytes: executable, snapshot, program}: ExecutableFile,
  context: HostContext,
): Promise<Result<ProvedAgain>> {
  const {calledAs, bytes, importers, leftOut, modules, ranIn, readVariables, seed, isPortable} = snapshot;
  const notRun = (reason: string): Result<ProvedAgain> => ok({kind: 'not-run', reason});
  if (isPortable || ranIn === null) return notRun('it is that of a release: verify its manifest');
  const own = userEnvironmentOf(context);
  const [real, called] = await Promise.all(
    [path, calledAs].map((path) => realpath(path).catch(() => undefined)),
  );
  if (real === undefined || real !== called) return notRun(`it was made for the path ${calledAs}`);
  const state = await askExecutable({file: path, calledAs, environment: own}, context);
  if (state !== 'restored') return notRun(state);
  if (exactStatSync(ranIn)?.isDirectory() !== true) return notRun(`the directory ${ranIn} is not there`);
  const header = readHeader(bytes);
  if (!header.ok) return header;
  return withTemporaryFolder('proof', async (folder) => {
    const environment = {...own, SURROUNDINGS_OF_PROOF: randomBytes(randomInt(1, 4000)).toString('hex')};
    const dumper = {calledAs, file: real, environment, folder, place: HERE, cwd: ranIn};
    const without = leftOut.map(({module}) => module);
    const imported = program === undefined ? undefined : importOfProgram(program);
    const isLeftOut = (module: string): boolean => without.includes(module) || importers.includes(module);
    const read = readVariables.map((name) => ({kind: 'variable', name}) as const);
    const check = imported === undefined || isLeftOut(imported.module) ? undefined : imported.statement;
    const request = {modules, without, read, seed, check, placement: join(folder, 'placement')};
    const done = await dumpLike(header.value, dumper, request, {context});
    if (!done.ok)
      return done.failure.code === 'SNAPSHOT' ? ok({kind: 'differs', failure: done.failure}) : done;
    const fresh = readHeader(done.value.bytes);
    if (!fresh.ok) return fresh;
    const [then, now] = [header, fresh].map((each) => each.value.allocationCount);
    // The same objects then have other addresses.
    if (then !== now) return notRun(`Python allocates ${now ?? 0} times here, not ${then ?? 0} times`);
    const objects = readObjects(done.value.bytes, fresh.value);
    if (objects.length !== header.value.objectCount) return notRun('another number of libraries is loaded');
    const held = unpackSnapshot(bytes, header.value, executable, objects);
    if (!held.ok) return held;
    const compared = compareDumps(held.value, done.value.bytes);
    if (!compared.ok) return ok({kind: 'differs', failure: compared.failure});
    const symbols = await symbolsOf({executable: real, environment: own}, {context});
    if (!symbols.ok) return symbols;
    const words = withoutExplained(compared.value.words, symbols.value);
    return ok(
      words.length === 0
        ? {kind: 'equal'}
        : {kind: 'differs', failure: unexplainedFailure(words, symbols.value)},
    );
  });
}

/** Which names types remember, and so how often Python allocates, depends on addresses that the kernel chooses: another process may do as the first. */
const ATTEMPTS = 4;

/** A dump of a process that allocates as often as that of a header; the last one if none of several does. */
async function dumpLike(
  {allocationCount}: Pick<DumpHeader, 'allocationCount'>,
  dumper: Dumper,
  request: Parameters<typeof dumpPlaced>[1],
  site: Pick<Site, 'context'>,
): ReturnType<typeof dumpPlaced> {
  for (let attempt = 1; ; attempt++) {
    await clearFile(request.placement);
    const done = await dumpPlaced(dumper, request, join(dumper.folder, 'dump'), site);
    if (!done.ok || attempt === ATTEMPTS) return done;
    const header = readHeader(done.value.bytes);
    if (!header.ok || header.value.allocationCount === allocationCount) return done;
  }
}
