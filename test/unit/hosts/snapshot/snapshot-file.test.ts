/** The bytes of dumps and snapshots: comparing, packing, and putting them into an executable. */
import {describe, expect, test} from '@jest/globals';
import {appendSnapshot, snapshotIn} from '../../../../src/hosts/snapshot/append-snapshot.js';
import {compareDumps} from '../../../../src/hosts/snapshot/compare-dumps.js';
import {
  MAGIC,
  PAGE,
  readFilePaths,
  readHeader,
  RUN_SIZE,
  writeField,
} from '../../../../src/hosts/snapshot/dump-format.js';
import {dumpRequestText, modulesOfSnapshot, newSeed} from '../../../../src/hosts/snapshot/dump-request.js';
import {hashNames} from '../../../../src/hosts/snapshot/file-states.js';
import {dataSegmentOf, untouchedData} from '../../../../src/hosts/snapshot/elf-data.js';
import {
  differingRuns,
  listUsedPages,
  packSnapshot,
  unpackSnapshot,
} from '../../../../src/hosts/snapshot/pack-snapshot.js';
import {parseUsedPages} from '../../../../src/hosts/snapshot/find-used-pages.js';
import {
  describeWord,
  parseSymbols,
  unexplainedFailure,
  withoutExplained,
} from '../../../../src/hosts/snapshot/unexplained.js';

const DATA = 0x600000;
const REGION = 0x100000000000;

/** A dump with two pages of data and twelve of the region; one word of data belongs to the dynamic linker. */
function dump(change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(PAGE * 15);
  bytes.write(MAGIC, 'latin1');
  const fields = {
    size: bytes.length,
    headerSize: PAGE,
    data: DATA,
    dataSize: 2 * PAGE,
    dataOffset: PAGE,
    region: REGION,
    regionSize: 12 * PAGE,
    regionOffset: 3 * PAGE,
    tlsSize: 16,
    tlsOffset: 1024,
    rangeCount: 1,
    rangeOffset: 512,
    fileCount: 2,
    fileTextOffset: 2048,
  } as const;
  for (const [name, value] of Object.entries(fields)) writeField(bytes, name as keyof typeof fields, value);
  bytes.writeBigUInt64LE(BigInt(DATA + 20), 512);
  bytes.writeBigUInt64LE(4n, 520);
  bytes.write('/a.py\0/b c.py\0', 2048);
  bytes.fill(1, 3 * PAGE, 4 * PAGE);
  bytes.fill(2, 14 * PAGE);
  change(bytes);
  return bytes;
}

function headerOf(bytes: Buffer) {
  const header = readHeader(bytes);
  if (!header.ok) throw new Error(header.failure.message);
  return header.value;
}

test('a header and the list of files are read', () => {
  expect(headerOf(dump())).toMatchObject({data: DATA, region: REGION, regionSize: 12 * PAGE});
  expect(readFilePaths(dump(), headerOf(dump()))).toEqual(['/a.py', '/b c.py']);
  expect(readHeader(Buffer.alloc(4096))).toMatchObject({ok: false, failure: {code: 'SNAPSHOT'}});
  expect(readHeader(dump().subarray(0, 40))).toMatchObject({ok: false, failure: {code: 'SNAPSHOT'}});
});

describe('comparing', () => {
  test('equal dumps have no words that differ', () => {
    expect(compareDumps(dump(), dump())).toEqual({ok: true, value: {words: [], moved: []}});
  });

  test('a word of the dynamic linker may differ, another one of data may not', () => {
    const own = dump((bytes) => bytes.writeUInt32LE(7, PAGE + 20));
    expect(compareDumps(dump(), own)).toEqual({ok: true, value: {words: [], moved: []}});
    const other = dump((bytes) => bytes.writeUInt32LE(7, PAGE + 28));
    expect(compareDumps(dump(), other)).toEqual({
      ok: true,
      value: {words: [{part: 'data', address: DATA + 24, values: [0n, 7n << 32n]}], moved: []},
    });
  });

  test('words of the region and of thread-local data are found, the last byte too', () => {
    const last = dump((bytes) => bytes.writeUInt8(9, bytes.length - 1));
    expect(compareDumps(dump(), last)).toMatchObject({
      value: {words: [{part: 'region', address: REGION + 12 * PAGE - 8}]},
    });
    const local = dump((bytes) => bytes.writeUInt8(9, 1024 + 15));
    expect(compareDumps(dump(), local)).toMatchObject({
      value: {words: [{part: 'thread-local data', address: 8}]},
    });
  });

  test('dumps of different sizes are of imports that took another course', () => {
    const longer = dump((bytes) => {
      writeField(bytes, 'regionSize', 11 * PAGE);
    });
    expect(compareDumps(dump(), longer)).toMatchObject({ok: false, failure: {code: 'SNAPSHOT'}});
  });
});

/** An executable whose data has `fileSize` bytes in the file, at `offset`, behind a segment of code. */
function elf(fileSize: number, offset = PAGE): Buffer {
  const bytes = Buffer.alloc(offset + 4 * PAGE, 0xee);
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeBigUInt64LE(64n, 0x20);
  bytes.writeUInt16LE(56, 0x36);
  bytes.writeUInt16LE(2, 0x38);
  const segments = [
    {flags: 5, offset: 0, address: 0x400000, size: PAGE},
    {flags: 6, offset: offset, address: DATA, size: fileSize},
  ];
  for (const [i, segment] of segments.entries()) {
    const at = 64 + 56 * i;
    bytes.writeUInt32LE(1, at);
    bytes.writeUInt32LE(segment.flags, at + 4);
    bytes.writeBigUInt64LE(BigInt(segment.offset), at + 8);
    bytes.writeBigUInt64LE(BigInt(segment.address), at + 16);
    bytes.writeBigUInt64LE(BigInt(segment.size), at + 32);
  }
  return bytes;
}

describe('the data of an executable', () => {
  test('is its last segment that can be written', () => {
    expect(dataSegmentOf(elf(100))).toEqual({address: DATA, offset: PAGE, fileSize: 100});
    expect(dataSegmentOf(Buffer.from('#!/bin/sh\n'.repeat(20)))).toBeUndefined();
    expect(dataSegmentOf(elf(100).subarray(0, 100))).toBeUndefined();
  });

  test('untouched pages have the bytes of the file to the end of the last page, then zeros', () => {
    const executable = elf(PAGE + 10);
    const bytes = untouchedData(
      executable,
      {address: DATA, offset: PAGE, fileSize: PAGE + 10},
      {address: DATA, size: 3 * PAGE},
    );
    expect(bytes.subarray(0, 2 * PAGE)).toEqual(executable.subarray(PAGE, 3 * PAGE));
    expect(bytes.subarray(2 * PAGE)).toEqual(Buffer.alloc(PAGE));
    const rest = {address: DATA + 2 * PAGE, size: PAGE};
    expect(untouchedData(executable, {address: DATA, offset: PAGE, fileSize: PAGE}, rest)).toEqual(
      Buffer.alloc(PAGE),
    );
  });
});

describe('packing', () => {
  test('runs are pages that differ; small gaps are part of them', () => {
    const base = Buffer.alloc(PAGE * 20, 7);
    const bytes = Buffer.from(base);
    for (const page of [1, 2, 5, 16]) bytes.writeUInt8(1, page * PAGE + PAGE - 1);
    expect(differingRuns(bytes, base, 4)).toEqual([
      {from: PAGE, size: 5 * PAGE},
      {from: 16 * PAGE, size: PAGE},
    ]);
    expect(differingRuns(bytes, base, 1)).toHaveLength(3);
    expect(differingRuns(base, base)).toEqual([]);
  });

  function pack(bytes: Buffer, executable: Buffer) {
    const packed = packSnapshot(bytes, headerOf(bytes), executable);
    if (!packed.ok) throw new Error(packed.failure.message);
    const header = headerOf(packed.value);
    const runs = Array.from({length: header.runCount}, (_, i) =>
      [0, 8, 16].map((k) => Number(packed.value.readBigUInt64LE(header.runOffset + i * RUN_SIZE + k))),
    );
    return {packed: packed.value, header, runs};
  }

  test('a snapshot has the pages of data that differ from the executable, and those of the region that are used', () => {
    const executable = elf(2 * PAGE);
    const bytes = dump((each) => {
      executable.copy(each, PAGE, PAGE, 3 * PAGE);
      each.fill(3, 2 * PAGE, 2 * PAGE + 8);
      each.fill(9, PAGE + 20, PAGE + 24); // of the dynamic linker
    });
    const {packed, header, runs} = pack(bytes, executable);
    expect(header).toMatchObject({size: packed.length, runCount: 3, region: REGION, regionSize: 12 * PAGE});
    expect(runs.map(([address, size]) => [address, size])).toEqual([
      [DATA + PAGE, PAGE],
      [REGION, PAGE],
      [REGION + 11 * PAGE, PAGE],
    ]);
    for (const [address = 0, size = 0, offset = 0] of runs) {
      expect(offset % PAGE).toBe(0);
      const from = address >= REGION ? 3 * PAGE + address - REGION : PAGE + address - DATA;
      expect(packed.subarray(offset, offset + size)).toEqual(bytes.subarray(from, from + size));
    }
    expect(packed).toHaveLength(header.headerSize + 3 * PAGE);
  });

  test('without a base, pages that are not zero are found', () => {
    const bytes = Buffer.alloc(PAGE * 20);
    bytes.writeUInt8(1, 12 * PAGE);
    expect(differingRuns(bytes)).toEqual([{from: 12 * PAGE, size: PAGE}]);
  });

  test('pages that each start uses are listed behind the runs, and change nothing else', () => {
    const used = parseUsedPages(`1 ${DATA} ${PAGE}\n2 -${2 * PAGE} ${2 * PAGE}\nnothing\n`);
    const bytes = dump();
    const packed = packSnapshot(bytes, headerOf(bytes), elf(0), {room: 2});
    if (!packed.ok) throw new Error(packed.failure.message);
    const before = Buffer.from(packed.value);
    listUsedPages(packed.value, headerOf(packed.value), used);
    const header = headerOf(packed.value);
    expect(header).toMatchObject({pageCount: 2, pageOffset: header.runOffset + header.runCount * RUN_SIZE});
    const numbers = Array.from({length: 6}, (_, i) => packed.value.readBigInt64LE(header.pageOffset + 8 * i));
    expect(numbers.map(Number)).toEqual([DATA, PAGE, 1, -2 * PAGE, 2 * PAGE, 2]);
    packed.value.fill(0, header.pageOffset, header.pageOffset + 2 * RUN_SIZE);
    writeField(packed.value, 'pageCount', 0);
    expect(packed.value).toEqual(before);
  });

  test('no more of these pages are listed than there is room for', () => {
    const used = Array.from({length: 1000}, (_, i) => ({
      kind: 1,
      address: BigInt(DATA + i * PAGE),
      size: PAGE,
    }));
    const bytes = dump();
    const packed = packSnapshot(bytes, headerOf(bytes), elf(0), {room: 300});
    if (!packed.ok) throw new Error(packed.failure.message);
    const {headerSize} = headerOf(packed.value);
    const pages = Buffer.from(packed.value.subarray(headerSize));
    listUsedPages(packed.value, headerOf(packed.value), used);
    const {pageCount, pageOffset} = headerOf(packed.value);
    expect(pageCount).toBeGreaterThanOrEqual(300);
    expect(pageCount).toBeLessThan(1000);
    expect(pageOffset + pageCount * RUN_SIZE).toBeLessThan(headerSize);
    expect(packed.value.readUInt8(headerSize - 1)).toBe(0);
    expect(packed.value.subarray(headerSize)).toEqual(pages);
  });

  test('words of the dynamic linker are zero: they would be other ones in each build', () => {
    const change = (value: number) => (each: Buffer) => {
      each.fill(3, PAGE, 3 * PAGE);
      each.writeUInt32LE(value, PAGE + 20);
    };
    const packed = [5, 6].map((value) => pack(dump(change(value)), elf(0)).packed);
    expect(packed[0]).toEqual(packed[1]);
  });

  test('what was packed is unpacked, but for the words of the dynamic linker', () => {
    const executable = elf(2 * PAGE);
    const bytes = dump((each) => {
      executable.copy(each, PAGE, PAGE, 3 * PAGE);
      each.fill(3, 2 * PAGE, 2 * PAGE + 8);
      each.fill(9, PAGE + 20, PAGE + 24);
    });
    const {packed, header} = pack(bytes, executable);
    const unpacked = unpackSnapshot(packed, header, executable);
    if (!unpacked.ok) throw new Error(unpacked.failure.message);
    expect(compareDumps(unpacked.value, bytes)).toEqual({ok: true, value: {words: [], moved: []}});
    bytes.fill(4, 2 * PAGE + 8, 2 * PAGE + 16);
    expect(compareDumps(unpacked.value, bytes)).toMatchObject({value: {words: [{address: DATA + PAGE + 8}]}});
  });

  test('data of another executable is refused', () => {
    expect(packSnapshot(dump(), headerOf(dump()), Buffer.alloc(PAGE))).toMatchObject({
      ok: false,
      failure: {code: 'SNAPSHOT'},
    });
  });
});

describe('the executable', () => {
  const executable = Buffer.concat([
    Buffer.alloc(5000, 7),
    Buffer.from('flashfreeze at \0'),
    Buffer.alloc(100),
  ]);

  test('has the snapshot behind its end, at a page', () => {
    const snapshot = Buffer.alloc(PAGE, 5);
    const whole = appendSnapshot(executable, snapshot);
    if (!whole.ok) throw new Error(whole.failure.message);
    expect(whole.value.length % PAGE).toBe(0);
    expect(snapshotIn(whole.value)).toEqual(snapshot);
    expect(snapshotIn(whole.value.subarray(0, whole.value.length - 1))).toBeUndefined();
    expect(snapshotIn(executable)).toBeUndefined();
    expect(appendSnapshot(whole.value, snapshot)).toMatchObject({ok: false, failure: {code: 'SNAPSHOT'}});
  });

  test.each([
    ['without a place', Buffer.alloc(100)],
    ['with two places', Buffer.concat([executable, executable])],
  ])('%s is refused', (_, bytes) => {
    expect(appendSnapshot(bytes, Buffer.alloc(PAGE))).toMatchObject({ok: false});
  });
});

test('a hash of names does not depend on their order, nor on what imports add', () => {
  const names = ['a.py', 'é.py', 'package'];
  expect(hashNames([...names].reverse().concat('__pycache__', '.hidden'))).toBe(hashNames(names));
  expect(hashNames(names.slice(1))).not.toBe(hashNames(names));
  expect(hashNames([])).toBe(0n);
});

describe('what differs has a name', () => {
  const symbols = parseSymbols(
    '0000000000600000 0000000000000010 d first\n0000000000600020 0000000000000040 B _mi_heap_main\n' +
      '0000000000400000 0000000000000040 T code\n                 U undefined\n',
  );
  const word = (address: number, part: 'data' | 'region' = 'data') =>
    ({part, address, values: [1n, 255n]}) as const;

  test('of the variable that holds it', () => {
    expect(symbols.map(({name}) => name)).toEqual(['first', '_mi_heap_main']);
    expect(describeWord(word(0x600008), symbols)).toBe('first+8: 0x1 and 0xff');
    expect(describeWord(word(0x600010), symbols)).toBe('data at 0x600010: 0x1 and 0xff');
    expect(describeWord(word(0x600008, 'region'), symbols)).toBe('region at 0x600008: 0x1 and 0xff');
  });

  test('variables that a start may take from another process are explained', () => {
    const words = [word(0x600028), word(0x600008), word(0x600028, 'region')];
    expect(withoutExplained(words, symbols)).toEqual(words.slice(1));
  });

  test.each(['_mi_heap_main', 'mi_clock_diff', 'mi_process_start'])('%s of mimalloc is one', (name) => {
    const own = parseSymbols(`0000000000600000 0000000000000008 b ${name}\n`);
    expect(withoutExplained([word(0x600000), word(0x600008)], own)).toEqual([word(0x600008)]);
  });

  test('so are the times of a build in a variable that has some, and nothing else there', () => {
    const own = parseSymbols('0000000000600000 0000000000000040 D _nc_globals\n');
    const at = (a: bigint, b: bigint) => ({...word(0x600008), values: [a, b]}) as const;
    const now = 1_800_000_000n;
    const other = [at(now, 0n), at(now, now + 3600n), at(1n, 2n), at(now << 20n, (now << 20n) + 1n)];
    expect(withoutExplained([at(now, now + 2n), at(now + 2n, now), ...other], own)).toEqual(other);
  });

  test('a failure lists some, and says how many there are', () => {
    const {message, details} = unexplainedFailure(
      Array.from({length: 12}, (_, i) => word(0x700000 + 8 * i)),
      symbols,
    );
    expect(message).toContain('12 words');
    expect(details?.split('\n')).toHaveLength(11);
    expect(details).toContain('and 2 more');
    expect(unexplainedFailure([word(0x600008)], symbols).message).toContain('1 word of');
  });
});

describe('the request', () => {
  test('names modules in order', () => {
    const read = [
      {kind: 'variable', name: 'HOME'},
      {kind: 'variable', name: 'X'},
      {kind: 'file', name: '/a b'},
      {kind: 'file', name: '/a\nseed 6'},
      {kind: 'fact', name: 'cwd'},
    ] as const;
    const request = {
      modules: ['b', 'a.c'],
      without: ['d'],
      read,
      seed: 5,
      output: {kind: 'dump', path: '/x y'},
    } as const;
    const lines = [
      ...['output /x y', 'prepare /p.py', 'seed 5', 'variable HOME', 'variable X', 'file /a b', 'fact cwd'],
      ...['module b', 'module a.c', 'without d', ''],
    ];
    expect(dumpRequestText(request, ['/p.py'])).toBe(lines.join('\n'));
    const locate = {script: '/l.py', words: [255]};
    expect(dumpRequestText({...request, locate}, ['/p.py'])).toBe(
      [...lines.slice(0, -1), 'locate /l.py', 'word ff', ''].join('\n'),
    );
  });

  test('of a record, and of a dump that is placed by one', () => {
    const output = {kind: 'record', path: '/r'} as const;
    expect(dumpRequestText({modules: [], without: [], read: [], seed: 5, output}, ['/p.py'])).toBe(
      'record /r\nprepare /p.py\nseed 5\nvariable HOME\n',
    );
    const placed = {
      modules: [],
      without: [],
      read: [],
      seed: 5,
      output: {kind: 'dump', path: '/d'},
      placement: '/r',
    } as const;
    expect(dumpRequestText(placed, ['/p.py'])).toBe(
      'output /d\nprepare /p.py\nplacement /r\nseed 5\nvariable HOME\n',
    );
  });

  test('main programs are not imported', () => {
    const imports = ['json', '__main__', 'json.__main__', 'a__main__'];
    expect(modulesOfSnapshot({imports})).toEqual(['json', 'a__main__']);
  });

  test('seeds are never zero, which means none', () => {
    for (let i = 0; i < 100; i++) expect(newSeed()).toBeGreaterThan(0);
  });
});
