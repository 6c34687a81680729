/** What can be read out of an executable with a snapshot: what it was made of, what a start compares, and its memory. */
import {linkSync, mkdirSync, renameSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {appendSnapshot} from '../../../../src/hosts/snapshot/append-snapshot.js';
import {clearWords} from '../../../../src/hosts/snapshot/compare-dumps.js';
import {
  type DumpHeader,
  FILE_STATE_SIZE,
  MAGIC,
  PAGE,
  readHeader,
  writeField,
} from '../../../../src/hosts/snapshot/dump-format.js';
import {imagesIn} from '../../../../src/hosts/snapshot/images-in-place.js';
import {changedFiles, writeState} from '../../../../src/hosts/snapshot/file-states.js';
import {sealHeader, sumOfWords} from '../../../../src/hosts/snapshot/header-checksum.js';
import {addRecord, packSnapshot} from '../../../../src/hosts/snapshot/pack-snapshot.js';
import {contentsOf} from '../../../../src/hosts/snapshot/snapshot-contents.js';
import {encodeRecord, memoryDigest} from '../../../../src/hosts/snapshot/snapshot-record.js';
import {checkSnapshot} from '../../../../src/inspect/snapshot-check.js';
import {digestOf} from '../../../../src/model/digest.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const [DATA, REGION] = [0x600000, 0x100000000000];
const [VARIABLES, FACTS, FILES, TEXTS, CALLED, TLS] = [600, 700, 1024, 1200, 1600, 1800];
const folder = temporaryDirectory('snapshot-contents');
const file = join(folder, 'a.py');
writeFileSync(file, 'a = 1\n');

/** A dump with a page of data and two of the region. */
function dump(change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(PAGE * 4);
  bytes.write(MAGIC, 'latin1');
  const fields: Partial<DumpHeader> = {
    ...{size: bytes.length, headerSize: PAGE, data: DATA, dataSize: PAGE, dataOffset: PAGE},
    ...{region: REGION, regionSize: 2 * PAGE, regionOffset: 2 * PAGE, tlsSize: 16, tlsOffset: TLS},
    ...{variableOffset: VARIABLES, factOffset: FACTS, pathOffset: CALLED},
    ...{fileCount: 1, fileOffset: FILES, fileTextOffset: TEXTS},
  };
  for (const [name, value] of Object.entries(fields)) {
    writeField(bytes, name as keyof DumpHeader, value);
  }
  bytes.write('HOME=/home/é\0UNSET\0EMPTY=\0\0', VARIABLES);
  bytes.write('cwd\0/work\0program\0\0\0', FACTS);
  bytes.write(`${file}\0`, TEXTS);
  bytes.write('/bin/py\0', CALLED);
  bytes.fill(5, PAGE + 100, PAGE + 200);
  bytes.fill(6, 3 * PAGE);
  bytes.fill(7, TLS, TLS + 16);
  change(bytes);
  return bytes;
}

function headerOf(bytes: Buffer): DumpHeader {
  const header = readHeader(bytes);
  if (!header.ok) throw new Error(header.failure.message);
  return header.value;
}

/** An executable with room for a snapshot: its data begins at the second page. */
function elf(): Buffer {
  const bytes = Buffer.alloc(3 * PAGE);
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeBigUInt64LE(64n, 0x20);
  bytes.writeUInt16LE(56, 0x36);
  bytes.writeUInt16LE(1, 0x38);
  bytes.writeUInt32LE(1, 64);
  bytes.writeUInt32LE(6, 68);
  bytes.writeBigUInt64LE(BigInt(PAGE), 72);
  bytes.writeBigUInt64LE(BigInt(DATA), 80);
  bytes.writeBigUInt64LE(BigInt(PAGE), 96);
  bytes.write('flashfreeze at \0', 2 * PAGE, 'latin1');
  return bytes;
}

const RECORD = {
  ...{executable: 'ee', selected: ['a', 'b', 'c'], seed: 7, modules: ['a']},
  leftOut: [{module: 'b', reason: 'it reads a clock', where: '/b.py:1'}],
  ...{
    importers: ['c'],
    readVariables: ['HOME'],
    ranIn: '/w',
    milliseconds: 3,
    digests: {[file]: 'aa'},
    memory: 'mm',
  },
};

function executable(from = dump(), record = encodeRecord(RECORD)): Buffer {
  const packed = packSnapshot(from, headerOf(from), elf());
  if (!packed.ok) throw new Error(packed.failure.message);
  const whole = appendSnapshot(elf(), seal(addRecord(packed.value, record)));
  if (!whole.ok) throw new Error(whole.failure.message);
  return whole.value;
}

/** As makeSnapshot() leaves it. */
function seal(bytes: Buffer): Buffer {
  sealHeader(bytes, headerOf(bytes));
  return bytes;
}

function snapshotOf(bytes: Buffer) {
  const read = contentsOf(bytes);
  if (!read.ok || read.value.snapshot === undefined) throw new Error('no snapshot');
  return read.value.snapshot;
}

test('what it was made of, and what a start compares', () => {
  expect(snapshotOf(executable())).toMatchObject({
    ...RECORD,
    calledAs: '/bin/py',
    variables: [
      {name: 'HOME', value: '/home/é'},
      {name: 'UNSET', value: undefined},
      {name: 'EMPTY', value: ''},
    ],
    facts: [
      {name: 'cwd', value: '/work'},
      {name: 'program', value: ''},
    ],
    files: [file],
    isPortable: false,
  });
  expect(
    snapshotOf(
      executable(
        dump((bytes) => {
          writeField(bytes, 'portable', 1);
        }),
      ),
    ).isPortable,
  ).toBe(true);
});

test('an executable without a snapshot has none; one without a record is of another version', () => {
  expect(contentsOf(elf())).toEqual({ok: true, value: {program: undefined, snapshot: undefined}});
  const failure = {code: 'SNAPSHOT'};
  expect(contentsOf(executable(dump(), Buffer.alloc(0)))).toMatchObject({ok: false, failure});
  expect(contentsOf(executable(dump(), Buffer.from('{"seed":1}')))).toMatchObject({ok: false, failure});
});

describe('the memory', () => {
  test('has words of data that a release makes zero', () => {
    const bytes = dump();
    clearWords(bytes, headerOf(bytes), [
      {part: 'data', address: DATA + 104, values: [1n, 2n]},
      {part: 'region', address: REGION + PAGE, values: [1n, 2n]},
    ]);
    expect([...bytes.subarray(PAGE + 103, PAGE + 113)]).toEqual([5, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
    expect(bytes[3 * PAGE]).toBe(6);
  });
});

describe('a snapshot that is checked', () => {
  const made = (): Buffer => {
    const bytes = dump((each) => {
      each.fill(0, FILES, FILES + FILE_STATE_SIZE);
      writeState(each, file);
    });
    const packed = packSnapshot(bytes, headerOf(bytes), elf());
    if (!packed.ok) throw new Error(packed.failure.message);
    return executable(bytes, encodeRecord({...RECORD, memory: memoryDigest(packed.value, imagesIn(elf()))}));
  };

  test('is that which was proved', () => {
    expect(checkSnapshot(snapshotOf(made()))).toMatchObject({problem: null, modules: 1, details: []});
  });

  test('has other memory, or another header', () => {
    const {bytes} = snapshotOf(made());
    // In front of its record's digest.
    const end = bytes.lastIndexOf(' {"schema"') - digestOf('').length;
    for (const [at, problem] of [
      [end - 1, 'its memory was changed'],
      [PAGE * 2, 'its memory was changed'],
      [VARIABLES + 3, 'its header was changed'],
      [40, 'its header was changed'],
    ] as const) {
      const changed = made();
      const place = changed.indexOf(bytes.subarray(0, 64)) + at;
      changed.writeUInt8((changed[place] ?? 0) ^ 1, place);
      expect([at, checkSnapshot(snapshotOf(changed)).problem]).toEqual([at, problem]);
    }
  });

  test('has another record', () => {
    const changed = made();
    for (const place of [changed.lastIndexOf('"seed":7') + 7, changed.lastIndexOf(' {"schema"') - 1]) {
      const byte = changed[place] ?? 0;
      changed.writeUInt8(byte ^ 1, place);
      expect(contentsOf(changed)).toMatchObject({ok: false, failure: {code: 'SNAPSHOT'}});
      changed.writeUInt8(byte, place);
    }
    expect(contentsOf(changed).ok).toBe(true);
  });

  test('is of files that have changed', () => {
    const contents = snapshotOf(made());
    utimesSync(file, 5, 5);
    expect(checkSnapshot(contents)).toMatchObject({
      problem: 'files that its imports read have changed',
      details: [file],
    });
  });
});

describe('the states of files', () => {
  const path = join(folder, 'state.py');
  const stated = (isPortable: boolean): Buffer => {
    writeFileSync(path, 'x = 1\n');
    utimesSync(path, 1000, 1000);
    const bytes = dump((each) => {
      each.fill(0, TEXTS, TEXTS + 300);
      each.write(`${path}\0`, TEXTS);
      if (isPortable) writeField(each, 'portable', 1);
    });
    expect(writeState(bytes, path)).toBe(true);
    // What ff_make_portable() leaves: kind, size and time.
    if (isPortable) {
      const at = FILES;
      bytes.fill(0, at, at + 16);
      bytes.writeBigUInt64LE(0o100000n, at + 16);
      bytes.fill(0, at + 48, at + FILE_STATE_SIZE);
    }
    return bytes;
  };
  const copyOver = (text: string, seconds: number): void => {
    writeFileSync(`${path}.new`, text, {mode: 0o600});
    renameSync(`${path}.new`, path);
    utimesSync(path, seconds, seconds);
  };

  test('are those that were written', () => {
    expect(changedFiles(stated(false))).toEqual([]);
    expect(writeState(dump(), join(folder, 'other.py'))).toBe(false);
  });

  test('differ in a copy, but not for a release', () => {
    const [own, portable] = [stated(false), stated(true)];
    copyOver('y = 2\n', 1000);
    expect(changedFiles(own)).toEqual([path]);
    expect(changedFiles(portable)).toEqual([]);
    copyOver('y = 2\n', 2000);
    expect(changedFiles(portable)).toEqual([path]);
    copyOver('longer = 2\n', 1000);
    expect(changedFiles(portable)).toEqual([path]);
  });

  test('a new link is no change, as long as the content is the same', () => {
    const [known, unknown] = [stated(false), stated(false)];
    known.writeBigUInt64LE(sumOfWords(Buffer.from('x = 1\n')), FILES + FILE_STATE_SIZE - 8);
    linkSync(path, `${path}.link`);
    expect(changedFiles(known)).toEqual([]);
    expect(changedFiles(unknown)).toEqual([path]);
    writeFileSync(path, 'x = 2\n');
    utimesSync(path, 1000, 1000);
    expect(changedFiles(known)).toEqual([path]);
  });

  test('a directory in the place of a file is a change', () => {
    const portable = stated(true);
    renameSync(path, `${path}.old`);
    mkdirSync(path);
    expect(changedFiles(portable)).toEqual([path]);
  });
});
