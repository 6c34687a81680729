import {fail, ok, type Result} from '../../model/result.js';
import {
  type DumpHeader,
  PAGE,
  type Range,
  readRanges,
  readRuns,
  RUN_SIZE,
  writeField,
} from './dump-format.js';
import {dataSegmentOf, untouchedData} from './elf-data.js';
import type {UsedPages} from './find-used-pages.js';
import {encodeMoves, type MovedWord, putMovedWords, readMoves} from './moved-words.js';

/** Pages that follow each other, as offsets in a buffer. */
export interface Run {
  readonly from: number;
  readonly size: number;
}

/** A gap of fewer pages is stored: each run is a call of mmap() at each start. */
const SMALL_GAP = 8;

const ZEROS = Buffer.alloc(PAGE);

/** The pages in which `bytes` and `base` differ, as runs; both have the same size, in whole pages. Without a base, pages that are not zero. */
export function differingRuns(bytes: Buffer, base?: Buffer, smallGap = SMALL_GAP): readonly Run[] {
  const runs: {from: number; size: number}[] = [];
  for (let page = 0; page < bytes.length; page += PAGE) {
    const at = base === undefined ? 0 : page;
    if (bytes.compare(base ?? ZEROS, at, at + PAGE, page, page + PAGE) === 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && page - (last.from + last.size) < smallGap * PAGE) {
      last.size = page + PAGE - last.from;
    } else {
      runs.push({from: page, size: PAGE});
    }
  }
  return runs;
}

/**
 * A snapshot from a dump: the same header with the list of runs, and the pages that a start has to map: of the executable's data those
 * that differ from its file, of the region those that are not zero. Everything that is mapped begins at a page. Words that keep
 * the value of their process are zero. What it was made of is appended by `addRecord`. Fails with SNAPSHOT when the dump is of another executable.
 * @param options.room for how many entries of `listUsedPages`
 * @param options.moved the words that each start moves; they are zero in the dump
 */
export function packSnapshot(
  dump: Buffer,
  header: DumpHeader,
  executable: Buffer,
  {room = 0, moved = []}: {readonly room?: number; readonly moved?: readonly MovedWord[]} = {},
): Result<Buffer> {
  const segment = dataSegmentOf(executable);
  const place = {address: header.data, size: header.dataSize};
  if (segment === undefined || segment.address > place.address) {
    return fail('SNAPSHOT', 'the executable has no data of its own');
  }
  const data = Buffer.from(dump.subarray(header.dataOffset, header.dataOffset + header.dataSize));
  const untouched = untouchedData(executable, segment, place);
  for (const {address, size} of readRanges(dump, header)) {
    for (const each of [data, untouched]) each.fill(0, address - header.data, address - header.data + size);
  }
  const region = dump.subarray(header.regionOffset, header.regionOffset + header.regionSize);
  const parts = [
    {bytes: data, address: header.data, runs: differingRuns(data, untouched)},
    {bytes: region, address: header.region, runs: differingRuns(region)},
  ];
  const runs = parts.flatMap((part) => part.runs.map((run) => ({...run, ...part, runs: []})));
  // Its last byte is zero: texts in it end before it does.
  const moves = encodeMoves(moved, header);
  const moveOffset = header.headerSize + runs.length * RUN_SIZE;
  const pageOffset = moveOffset + moves.bytes.length;
  const headerSize = Math.ceil((pageOffset + room * RUN_SIZE + 1) / PAGE) * PAGE;
  const pages = runs.reduce((sum, run) => sum + run.size, headerSize);
  const packed = Buffer.alloc(pages);
  dump.copy(packed, 0, 0, header.headerSize);
  packed.fill(0, header.objectOffset, header.objectOffset + 16 * header.objectCount);
  moves.bytes.copy(packed, moveOffset);
  let offset = headerSize;
  for (const [i, {bytes, address, from, size}] of runs.entries()) {
    bytes.copy(packed, offset, from, from + size);
    for (const [k, value] of [address + from, size, offset].entries()) {
      packed.writeBigUInt64LE(BigInt(value), header.headerSize + i * RUN_SIZE + 8 * k);
    }
    offset += size;
  }
  writeField(packed, 'size', packed.length);
  writeField(packed, 'headerSize', headerSize);
  writeField(packed, 'pageCount', 0);
  writeField(packed, 'pageOffset', pageOffset);
  writeField(packed, 'moveCount', moves.count);
  writeField(packed, 'moveOffset', moveOffset);
  writeField(packed, 'dataOffset', 0);
  writeField(packed, 'regionOffset', 0);
  writeField(packed, 'runCount', runs.length);
  writeField(packed, 'runOffset', header.headerSize);
  return ok(packed);
}

/** Writes into a snapshot, in place, what each start asks the kernel for when memory is mapped: as much as there is room for. */
export function listUsedPages(
  snapshot: Buffer,
  {headerSize, pageOffset}: Pick<DumpHeader, 'headerSize' | 'pageOffset'>,
  used: readonly UsedPages[],
): void {
  const listed = used.slice(0, Math.floor((headerSize - pageOffset - 1) / RUN_SIZE));
  for (const [i, {address, size, kind}] of listed.entries()) {
    for (const [k, value] of [address, BigInt(size), BigInt(kind)].entries()) {
      snapshot.writeBigUInt64LE(BigInt.asUintN(64, value), pageOffset + i * RUN_SIZE + 8 * k);
    }
  }
  writeField(snapshot, 'pageCount', listed.length);
}

/** A snapshot with the record of what it was made of at its end. */
export function addRecord(packed: Buffer, record: Buffer): Buffer {
  const whole = Buffer.concat([packed, record]);
  writeField(whole, 'size', whole.length);
  return whole;
}

/**
 * The dump that a snapshot was made from, but for the words that keep the value of their process, which are zero. Fails as `packSnapshot`.
 * @param objects where the objects lay that words point into; without them, such words are zero, too
 */
export function unpackSnapshot(
  snapshot: Buffer,
  header: DumpHeader,
  executable: Buffer,
  objects?: readonly Range[],
): Result<Buffer> {
  const segment = dataSegmentOf(executable);
  const place = {address: header.data, size: header.dataSize};
  if (segment === undefined || segment.address > place.address) {
    return fail('SNAPSHOT', 'the executable has no data of its own');
  }
  const {headerSize} = header;
  const [dataOffset, regionOffset] = [headerSize, headerSize + header.dataSize];
  const dump = Buffer.alloc(regionOffset + header.regionSize);
  snapshot.copy(dump, 0, 0, headerSize);
  untouchedData(executable, segment, place).copy(dump, dataOffset);
  for (const {address, size, offset} of readRuns(snapshot, header)) {
    const at =
      address >= header.region ? address - header.region + regionOffset : address - header.data + dataOffset;
    snapshot.copy(dump, at, offset, offset + size);
  }
  writeField(dump, 'dataOffset', dataOffset);
  writeField(dump, 'regionOffset', regionOffset);
  for (const [i, {address, size}] of (objects ?? []).entries()) {
    dump.writeBigUInt64LE(BigInt(address), header.objectOffset + 16 * i);
    dump.writeBigUInt64LE(BigInt(size), header.objectOffset + 16 * i + 8);
  }
  putMovedWords(dump, {...header, dataOffset, regionOffset}, readMoves(snapshot, header), objects);
  return ok(dump);
}
