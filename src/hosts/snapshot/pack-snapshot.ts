import {type DumpHeader, PAGE, RUN_SIZE, writeField} from './dump-format.js';

/** Pages of the region that follow each other and hold something, as offsets in the dump. */
export interface Run {
  readonly from: number;
  readonly size: number;
}

/** A gap of fewer zero pages is stored: each run is a call of mmap() at each start. */
const SMALL_GAP = 8;

/** The pages of `size` bytes at `from` that are not all zero, as runs. */
export function usedRuns(bytes: Buffer, from: number, size: number, smallGap = SMALL_GAP): readonly Run[] {
  const runs: {from: number; size: number}[] = [];
  const zeros = Buffer.alloc(PAGE);
  for (let page = from; page < from + size; page += PAGE) {
    if (bytes.compare(zeros, 0, PAGE, page, page + PAGE) === 0) continue;
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
 * A snapshot from a dump: the same header with the list of runs, the executable's data, and the pages of the region that are not
 * zero. Everything that is mapped begins at a page.
 */
export function packSnapshot(dump: Buffer, header: DumpHeader): Buffer {
  const runs = usedRuns(dump, header.regionOffset, header.regionSize);
  const listEnd = header.headerSize + runs.length * RUN_SIZE;
  const headerSize = Math.ceil(listEnd / PAGE) * PAGE;
  const regionOffset = headerSize + header.dataSize;
  const size = runs.reduce((sum, run) => sum + run.size, regionOffset);
  const packed = Buffer.alloc(size);
  dump.copy(packed, 0, 0, header.headerSize);
  dump.copy(packed, headerSize, header.dataOffset, header.dataOffset + header.dataSize);
  let offset = regionOffset;
  for (const [i, run] of runs.entries()) {
    dump.copy(packed, offset, run.from, run.from + run.size);
    const address = header.region + run.from - header.regionOffset;
    for (const [k, value] of [address, run.size, offset].entries()) {
      packed.writeBigUInt64LE(BigInt(value), header.headerSize + i * RUN_SIZE + 8 * k);
    }
    offset += run.size;
  }
  writeField(packed, 'size', size);
  writeField(packed, 'headerSize', headerSize);
  writeField(packed, 'dataOffset', headerSize);
  writeField(packed, 'regionOffset', regionOffset);
  writeField(packed, 'runCount', runs.length);
  writeField(packed, 'runOffset', header.headerSize);
  return packed;
}
