import {attempt} from '../fs/files.js';
import {readRegular} from '../fs/regular-file.js';
import {MAGIC, readHeader} from '../hosts/snapshot/dump-format.js';
import {changedFiles} from '../hosts/snapshot/file-states.js';
import {headerChecksum} from '../hosts/snapshot/header-checksum.js';
import {proveAgain} from '../hosts/snapshot/prove-again.js';
import {contentsOf, type SnapshotContents} from '../hosts/snapshot/snapshot-contents.js';
import {memoryDigest} from '../hosts/snapshot/snapshot-record.js';
import type {SnapshotReport} from '../model/outcomes.js';
import {ok, type Result} from '../model/result.js';
import type {HostContext} from '../pipeline/build-options.js';

/** Whether a snapshot still is what two processes agreed on when it was made: its header, its memory, and the files that it is of. */
export function checkSnapshot(contents: SnapshotContents): SnapshotReport {
  const {modules, size, bytes, images, isPortable} = contents;
  const report = {modules: modules.length, bytes: size, details: [], again: null};
  if (!hasOwnChecksum(bytes)) return {...report, problem: 'its header was changed'};
  if (memoryDigest(bytes, images) !== contents.memory) return {...report, problem: 'its memory was changed'};
  const changed = changedFiles(bytes);
  // Those of a release are where it is unpacked.
  if (changed.length === 0 || isPortable) return {...report, problem: null};
  return {...report, problem: 'files that its imports read have changed', details: changed};
}

/** As `checkSnapshot`; then the imports run in a process of now, which has to leave the same memory. Undefined without a snapshot. Fails as `proveAgain`. */
export async function verifySnapshot(
  python: string,
  context: HostContext,
): Promise<Result<SnapshotReport | undefined>> {
  const read = await attempt('read', python, () => readRegular(python));
  if (!read.ok) return read;
  const executable = read.value;
  const found = contentsOf(executable);
  if (!found.ok) return found;
  const {snapshot, program} = found.value;
  if (snapshot === undefined) return ok(undefined);
  const report = checkSnapshot(snapshot);
  if (report.problem !== null) return ok(report);
  const proved = await proveAgain({path: python, bytes: executable, snapshot, program}, context);
  if (!proved.ok) return proved;
  const again = proved.value;
  if (again.kind === 'equal') return ok({...report, again: 'equal'});
  if (again.kind === 'not-run') return ok({...report, again: again.reason});
  const details = [again.failure.message, ...(again.failure.details?.split('\n') ?? [])];
  return ok({...report, problem: 'its imports leave another memory now', details});
}

function hasOwnChecksum(bytes: Buffer): boolean {
  const header = readHeader(bytes);
  if (!header.ok) return false;
  return bytes.readBigUInt64LE(MAGIC.length) === headerChecksum(bytes.subarray(0, header.value.headerSize));
}
