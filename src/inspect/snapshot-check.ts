import {MAGIC, readHeader} from '../hosts/snapshot/dump-format.js';
import {changedFiles} from '../hosts/snapshot/file-states.js';
import {headerChecksum} from '../hosts/snapshot/header-checksum.js';
import type {SnapshotContents} from '../hosts/snapshot/snapshot-contents.js';
import {memoryDigest} from '../hosts/snapshot/snapshot-record.js';
import type {SnapshotReport} from '../model/outcomes.js';

/** Whether a snapshot still is what two processes agreed on when it was made: its header, its memory, and the files that it is of. */
export function checkSnapshot(contents: SnapshotContents): SnapshotReport {
  const changed = changedFiles(contents.bytes);
  const {modules, size, bytes, isPortable} = contents;
  const report = {modules: modules.length, bytes: size, details: []};
  if (!hasOwnChecksum(bytes)) return {...report, problem: 'its header was changed'};
  if (memoryDigest(bytes) !== contents.memory) return {...report, problem: 'its memory was changed'};
  // Those of a release are where it is unpacked.
  if (changed.length === 0 || isPortable) return {...report, problem: null};
  return {...report, problem: 'files that its imports read have changed', details: changed};
}

function hasOwnChecksum(bytes: Buffer): boolean {
  const header = readHeader(bytes);
  if (!header.ok) return false;
  return bytes.readBigUInt64LE(MAGIC.length) === headerChecksum(bytes.subarray(0, header.value.headerSize));
}
