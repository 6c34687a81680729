import {mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, jest, test} from '@jest/globals';
import {parseLayout} from '../../../../src/codegen/layout.js';
import {indexId} from '../../../../src/codegen/tables/index-table.js';
import type {Target} from '../../../../src/cpython/interpreter/target.js';
import {currentState, identityOf} from '../../../../src/fs/file-identity.js';
import {LAYOUTS_FOLDER} from '../../../../src/fs/package-files.js';
import {digestOf} from '../../../../src/model/digest.js';
import {sourceHash} from '../../../../src/pipeline/images/source-hash.js';
import {stampsOf} from '../../../../src/pipeline/images/source-stamps.js';
import {decodeStamps, encodeStamps, type StampFile} from '../../../../src/pipeline/images/stamp-file.js';
import {eventually} from '../../../support/processes.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

jest.setTimeout(60_000);

const SOURCES = [
  {module: 'json', root: 0, key: 'json', isPackage: true},
  {module: 'app', root: 1, key: 'app', isPackage: false},
];
const CODE = digestOf('a code unit');
const read = parseLayout('python3.12.h', readFileSync(join(LAYOUTS_FOLDER, 'python3.12.h'), 'utf8'));
if (!read.ok) throw new Error(read.failure.message);
const layout = read.value;

describe('the file', () => {
  const stamp = {code: CODE, identity: 5n, hash: (1n << 64n) - 1n, bytecode: 7n, folder: 1};
  const file: StampFile = {folders: [3n, 0n], stamps: [stamp, undefined], hasInodes: true};

  test('is what src/runtime/sources/stamps.c reads', () => {
    const bytes = Buffer.from(encodeStamps(SOURCES, file));
    expect(bytes.length).toBe(88 + 2 * 8 + 2 * 48);
    expect(bytes.toString('latin1', 0, 72)).toBe(`FFSTAMP2${indexId(SOURCES)}`);
    expect([72, 76, 80].map((at) => bytes.readUInt32LE(at))).toEqual([2, 2, 1]);
    expect([88, 96].map((at) => bytes.readBigUInt64LE(at))).toEqual([3n, 0n]);
    expect(bytes.toString('latin1', 104, 120)).toBe(CODE.slice(0, 16));
    expect([120, 128, 136].map((at) => bytes.readBigUInt64LE(at))).toEqual([5n, (1n << 64n) - 1n, 7n]);
    expect(bytes.readUInt32LE(144)).toBe(1);
    // No image has a digest of zeros: a source that could not be read is one that has changed.
    expect(bytes.subarray(152).every((byte) => byte === 0)).toBe(true);
  });

  test('is read back', () => {
    const back = decodeStamps(SOURCES, encodeStamps(SOURCES, file));
    expect(back).toEqual({...file, stamps: [{...stamp, code: CODE.slice(0, 16)}, undefined]});
  });

  test.each([
    ['cut off', (bytes: Uint8Array) => bytes.subarray(0, -1)],
    ['empty', () => new Uint8Array()],
    ['too long', (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(1)])],
    ['of other sources', () => encodeStamps(SOURCES.slice(1), {...file, stamps: [stamp]})],
  ])('is not read when it is %s', (_, damage) => {
    expect(decodeStamps(SOURCES, damage(encodeStamps(SOURCES, file)))).toBeUndefined();
  });
});

describe('the stamps of files', () => {
  let folder: string;
  let source: string;
  const plan = {
    modules: [],
    frozenRows: [],
    sources: [{module: 'app', root: 0, key: 'app', isPackage: false}],
    roots: [],
    frozenFirst: false,
    restsCollector: false,
    exitsFast: false,
    leftOut: [],
    imports: [],
  };
  const target = {cacheTag: 'cpython-312', magic: 'cb0d0d0a'} as Target;

  beforeEach(async () => {
    folder = temporaryDirectory();
    source = join(folder, 'app.py');
    writeFileSync(source, 'VALUE = 1\n');
    await settle();
  });

  async function settle(...paths: string[]): Promise<void> {
    for (const path of [source, folder, ...paths])
      expect(await eventually(() => currentState(path)?.settled === true)).toBe(true);
  }

  /** As a build takes them that has read `content`, while the file had its present state. */
  function stamps(content = readFileSync(source), known?: StampFile): StampFile {
    const identity = currentState(source)?.identity ?? 0n;
    const module = {
      module: 'app',
      source,
      sourceName: 'app.py',
      filename: 'app.py',
      isCPythonFrozen: false,
      isRequired: false,
    };
    return stampsOf(
      {
        plan: {...plan, modules: [module]},
        toolchain: {layout, target},
        codes: new Map([['app', CODE]]),
        stampOf: () => ({identity, digest: digestOf(content)}),
      },
      known,
    );
  }

  test('hold the state and the content of the source', () => {
    expect(stamps()).toEqual({
      hasInodes: true,
      folders: [currentState(folder)?.identity],
      stamps: [
        {
          ...{code: CODE, identity: currentState(source)?.identity, bytecode: 0n, folder: 0},
          hash: sourceHash(Buffer.from('VALUE = 1\n'), layout),
        },
      ],
    });
  });

  test('an edit during the build leaves no stamp, also one of the same size and time', () => {
    expect(stamps(Buffer.from('VALUE = 2\n')).stamps).toEqual([undefined]);
  });

  test('a source that changed moments ago is compared by content', () => {
    writeFileSync(source, 'VALUE = 3\n');
    utimesSync(source, 1_000_000_000, 1_000_000_000);
    expect(stamps().stamps).toEqual([expect.objectContaining({identity: 0n})]);
  });

  test('a hash is taken over as long as the state is the same', async () => {
    const first = stamps();
    const spoilt = {...first, stamps: first.stamps.map((stamp) => stamp && {...stamp, hash: 1n})};
    expect(stamps(undefined, spoilt)).toEqual(spoilt);
    const copy = join(folder, 'copy');
    writeFileSync(copy, readFileSync(source));
    renameSync(copy, source);
    await settle();
    expect(stamps(undefined, spoilt).stamps).toEqual([
      expect.objectContaining({hash: first.stamps[0]?.hash}),
    ]);
  });

  test.each(['app.so', 'app.cpython-312-x86_64-linux-gnu.so', 'app.abi3.so', 'app/'])(
    'a directory with %s beside the source has no identity',
    async (name) => {
      if (name.endsWith('/')) mkdirSync(join(folder, name));
      else writeFileSync(join(folder, name), '');
      await settle();
      expect(stamps().folders).toEqual([0n]);
    },
  );

  test.each(['apps.so', 'application/', 'app.txt'])('%s is no rival', async (name) => {
    if (name.endsWith('/')) mkdirSync(join(folder, name));
    else writeFileSync(join(folder, name), '');
    await settle();
    expect(stamps().folders).toEqual([currentState(folder)?.identity]);
  });

  test.each<[string, number, (hash: bigint) => bigint, string, boolean]>([
    ['a timestamp', 0, () => 0n, target.magic, true],
    ['the hash of the source, unchecked', 1, (hash) => hash, target.magic, true],
    ['another hash, unchecked', 1, (hash) => hash + 1n, target.magic, false],
    ['another hash, checked', 3, (hash) => hash ^ 1n, target.magic, false],
    ['the number of another Python', 1, () => 0n, 'a70d0d0a', true],
  ])('bytecode with %s', async (_, flags, hashFrom, magic, isSame) => {
    const path = join(folder, '__pycache__', 'app.cpython-312.pyc');
    mkdirSync(join(folder, '__pycache__'));
    const bytes = Buffer.alloc(16);
    bytes.write(magic, 0, 'hex');
    bytes.writeUInt32LE(flags, 4);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, hashFrom(stamps().stamps[0]?.hash ?? 0n)), 8);
    writeFileSync(path, bytes);
    await settle(path);
    const identity = isSame ? currentState(path)?.identity : 0n;
    expect(stamps().stamps).toEqual([expect.objectContaining({bytecode: identity})]);
  });

  test('no stamp for a source that is gone', () => {
    const content = readFileSync(source);
    rmSync(source);
    expect(stamps(content).stamps).toEqual([undefined]);
  });
});

test('an identity differs when any of its parts does', () => {
  const inode = {ino: 3n, ctimeNs: 4n};
  const all = [
    {size: 1n, mtimeNs: 2n, inode},
    {size: 2n, mtimeNs: 1n, inode},
    {size: 1n, mtimeNs: -2n, inode},
    {size: 1n, mtimeNs: 2n, inode: {...inode, ino: 4n}},
    {size: 1n, mtimeNs: 2n, inode: {...inode, ctimeNs: 3n}},
    {size: 1n, mtimeNs: 2n},
  ].map(identityOf);
  expect(new Set(all).size).toBe(all.length);
  expect(all).not.toContain(0n);
});
