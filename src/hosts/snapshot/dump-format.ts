import {fail, ok, type Result} from '../../model/result.js';

/** The header of a dump and of a snapshot: `ff_snapshot_header` of src/runtime/snapshot/restore.h, in its order. */
const FIELDS = [
  'checksum',
  'size',
  'headerSize',
  'data',
  'dataSize',
  'dataOffset',
  'region',
  'regionSize',
  'regionOffset',
  'tlsSize',
  'tlsOffset',
  'rangeCount',
  'rangeOffset',
  'runCount',
  'runOffset',
  'variableOffset',
  'pathOffset',
  'fileCount',
  'fileOffset',
  'fileTextOffset',
  'allocationCount',
  'modified',
  'factOffset',
  'portable',
  'pageCount',
  'pageOffset',
  'objectCount',
  'objectOffset',
  'moveCount',
  'moveOffset',
] as const;
type Field = (typeof FIELDS)[number];

/** The checksum is none of the numbers that are read: it has 64 bits (header-checksum.ts). */
export type DumpHeader = Readonly<Record<Exclude<Field, 'checksum'>, number>>;

export const MAGIC = 'flashfreeze 013\0';
export const PAGE = 4096;
/** Where the `ff_common` lies. */
export const COMMON_OFFSET = MAGIC.length + 8 * FIELDS.length;
/** The bytes of a `ff_file_state`. */
export const FILE_STATE_SIZE = 72;
/** The bytes of a `ff_run`, and of a `ff_pages`. */
export const RUN_SIZE = 24;

/** A stretch of memory, in bytes. */
export interface Range {
  readonly address: number;
  readonly size: number;
}

/** Reads the header at the start of `bytes`. Fails with SNAPSHOT when it is none. */
export function readHeader(bytes: Buffer): Result<DumpHeader> {
  if (
    bytes.length < MAGIC.length + 8 * FIELDS.length ||
    bytes.toString('latin1', 0, MAGIC.length) !== MAGIC
  ) {
    return fail('SNAPSHOT', 'the file is not a snapshot of this version');
  }
  // Addresses have less than 53 bits.
  const values = FIELDS.map((name, i) => [name, Number(bytes.readBigUInt64LE(MAGIC.length + 8 * i))]);
  return ok(Object.fromEntries(values) as DumpHeader);
}

/** Writes a field into the header at the start of `bytes`. */
export function writeField(bytes: Buffer, name: keyof DumpHeader, value: number): void {
  bytes.writeBigUInt64LE(BigInt(value), MAGIC.length + 8 * FIELDS.indexOf(name));
}

/** The ranges of data that keep the values of their process. */
export function readRanges(bytes: Buffer, {rangeCount, rangeOffset}: DumpHeader): readonly Range[] {
  return rangesAt(bytes, rangeOffset, rangeCount);
}

/** Where that lay in the process of a dump which lies elsewhere in each one: the libraries that it began with, and the main thread's block. */
export function readObjects(bytes: Buffer, {objectCount, objectOffset}: DumpHeader): readonly Range[] {
  return rangesAt(bytes, objectOffset, objectCount);
}

function rangesAt(bytes: Buffer, offset: number, count: number): readonly Range[] {
  return Array.from({length: count}, (_, i) => ({
    address: Number(bytes.readBigUInt64LE(offset + 16 * i)),
    size: Number(bytes.readBigUInt64LE(offset + 16 * i + 8)),
  }));
}

/** The stretches of a snapshot that a start maps. */
export function readRuns(
  bytes: Buffer,
  {runCount, runOffset}: DumpHeader,
): readonly (Range & {readonly offset: number})[] {
  return Array.from({length: runCount}, (_, i) => {
    const [address = 0, size = 0, offset = 0] = [0, 8, 16].map((field) =>
      Number(bytes.readBigUInt64LE(runOffset + RUN_SIZE * i + field)),
    );
    return {address, size, offset};
  });
}

/** The paths of the files that a start compares. */
export function readFilePaths(bytes: Buffer, {fileCount, fileTextOffset}: DumpHeader): readonly string[] {
  const paths: string[] = [];
  let start = fileTextOffset;
  for (let i = 0; i < fileCount; i++) {
    const end = bytes.indexOf(0, start);
    paths.push(bytes.toString('utf8', start, end));
    start = end + 1;
  }
  return paths;
}
