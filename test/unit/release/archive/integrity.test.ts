import {execFileSync} from 'node:child_process';
import {readFileSync, renameSync, truncateSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {digestOf} from '../../../../src/model/digest.js';
import {checkArchive} from '../../../../src/release/archive/integrity.js';
import {type Manifest, manifestText, readManifest} from '../../../../src/release/manifest.js';
import {compareReleases} from '../../../../src/release/reproduction/reproduce.js';
import {makeRelease} from '../../../support/small-release.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const signal = new AbortController().signal;
let folder = '';
beforeEach(() => {
  folder = temporaryDirectory('integrity');
});

const release = (name: string, files: Readonly<Record<string, string>>, flags?: string): Promise<string> =>
  makeRelease(join(folder, name), files, flags);

async function check(manifest: string, only?: boolean): ReturnType<typeof checkArchive> {
  const read = await readManifest(manifest);
  return read.ok ? checkArchive(read.value, only) : read;
}

const FILES = {a: 'one\ntwo\n', b: 'text'};

test('an archive matches its manifest', async () => {
  expect(await check(await release('one', FILES))).toMatchObject({ok: true});
});

test('an archive with another file does not, and the file is named', async () => {
  const [one, other] = [await release('one', FILES), await release('other', {...FILES, b: 'TEXT'})];
  renameSync(join(other, '..', 'release.tar.xz'), join(one, '..', 'release.tar.xz'));
  expect(await check(one)).toMatchObject({ok: false, failure: {code: 'VERIFY', details: 'python/b'}});
});

test('an archive that is packed in another way does not', async () => {
  const manifest = await release('one', FILES);
  const text = readFileSync(manifest, 'utf8');
  const {archive} = JSON.parse(text) as Manifest;
  writeFileSync(manifest, text.replace(archive.sha256, digestOf('something else')));
  expect(await check(manifest)).toMatchObject({
    ok: false,
    failure: {code: 'VERIFY', details: expect.stringMatching(/^its sha256 is /)},
  });
});

test('a missing archive is a failure, unless only the manifest is checked', async () => {
  const manifest = await release('one', FILES);
  unlinkSync(join(manifest, '..', 'release.tar.xz'));
  expect(await check(manifest)).toMatchObject({
    ok: false,
    failure: {code: 'VERIFY', message: expect.stringMatching(/not found/)},
  });
  expect(await check(manifest, true)).toMatchObject({ok: true});
});

test('the manifest of an old release under the name of a new one is none', async () => {
  const manifest = await release('one', FILES);
  const renamed = join(manifest, '..', 'new.manifest.json');
  renameSync(manifest, renamed);
  const text = readFileSync(renamed, 'utf8');
  const forged = {code: 'VERIFY'};
  for (const manifestOnly of [false, true])
    expect(await check(renamed, manifestOnly)).toMatchObject({ok: false, failure: forged});
  writeFileSync(manifest, text.replace('release.tar.xz', '../release.tar.xz'));
  expect(await check(manifest)).toMatchObject({ok: false, failure: forged});
  const named = join(manifest, '..', 'cpython-3.13.16-x-flashfreeze.manifest.json');
  writeFileSync(named, text.replaceAll(/"release(\.tar\.xz)?"/g, '"cpython-3.13.16-x-flashfreeze$1"'));
  expect(await check(named)).toMatchObject({
    ok: false,
    failure: {...forged, message: expect.stringMatching(/is of Python 3.13.15, but its name says 3.13.16/)},
  });
});

test('an archive that unpacks to more than its manifest says is not unpacked', async () => {
  const manifest = await release('one', FILES);
  const archive = join(manifest, '..', 'release.tar.xz');
  const bomb = execFileSync('sh', ['-c', 'head -c 300000000 /dev/zero | xz -1'], {maxBuffer: 1e9});
  writeFileSync(archive, bomb);
  const before = process.memoryUsage().rss;
  expect(await check(manifest)).toMatchObject({failure: {code: 'VERIFY'}});
  const text = readFileSync(manifest, 'utf8');
  const {sha256} = (JSON.parse(text) as Manifest).archive;
  // Also if the manifest, which may well be signed, names this archive.
  writeFileSync(manifest, text.replace(sha256, digestOf(bomb)));
  expect(await check(manifest)).toMatchObject({
    failure: {details: expect.stringMatching(/^it unpacks to more than|Invalid tar header/)},
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
});

/** A header of a tar archive, of one block. */
function tarHeader(name: string, type: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name);
  block.write('0000644', 100);
  block.write(size.toString(8).padStart(11, '0'), 124);
  block.write(type, 156);
  block.write('ustar\x0000', 257);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
const zeros = (bytes: number): Buffer => Buffer.alloc(Math.ceil(bytes / 512) * 512);
const size = 20_000_000;
const record = (text: string): Buffer => Buffer.concat([Buffer.from(text), zeros(512)]).subarray(0, 512);

/** Archives whose author signed a manifest that fits. None is kept in memory, and no member is what the manifest says. */
const HOSTILE: Readonly<Record<string, readonly [why: RegExp, make: () => Buffer]>> = {
  'attributes of 20 MB': [/too long/, () => Buffer.concat([tarHeader('a', 'x', size), zeros(size)])],
  'attributes for all members of 20 MB': [
    /too long/,
    () => Buffer.concat([tarHeader('a', 'g', size), zeros(size)]),
  ],
  'a name of 20 MB': [/too long/, () => Buffer.concat([tarHeader('a', 'L', size), zeros(size)])],
  'a size in its attributes that hides such a name': [
    /too long/,
    () =>
      Buffer.concat([
        ...[tarHeader('a', 'x', 9), record('9 size=0\n'), tarHeader('a', '0', size)],
        ...[tarHeader('a', 'L', size), zeros(size)],
      ]),
  ],
  'twenty thousand members': [
    /more than 1000/,
    () => Buffer.concat(Array.from({length: 20_000}, () => tarHeader('b', '0', 0))),
  ],
  'a negative size': [
    /invalid size/,
    () => Buffer.concat([tarHeader('a', 'x', 10), record('10 size=-9\n'), tarHeader('a', '0', 0)]),
  ],
  'a size that is no number': [
    /invalid size/,
    () => Buffer.concat([tarHeader('a', 'x', 9), record('9 size=x\n'), tarHeader('a', '0', 0)]),
  ],
  'a device': [/^python\/b/, () => tarHeader('python/b', '3', 0)],
  'a FIFO': [/^python\/b/, () => tarHeader('python/b', '6', 0)],
  'a hard link': [/^python\/b/, () => tarHeader('python/b', '1', 0)],
  'a sparse file': [/^python\/b/, () => Buffer.concat([tarHeader('python/b', 'S', 512), zeros(512)])],
};

test.each(Object.entries(HOSTILE))('an archive with %s is no more than a failure', async (_, [why, make]) => {
  const manifest = await release('one', {...FILES, b: ''});
  const archive = join(manifest, '..', 'release.tar.xz');
  const packed = execFileSync('xz', ['-1'], {
    input: Buffer.concat([make(), zeros(1024)]),
    maxBuffer: 1e9,
  });
  writeFileSync(archive, packed);
  const text = readFileSync(manifest, 'utf8');
  const {sha256} = (JSON.parse(text) as Manifest).archive;
  // The author also says that there is as much as he likes.
  writeFileSync(manifest, text.replace(sha256, digestOf(packed)).replace(/"size": \d+/g, '"size": 9e15'));
  expect(await check(manifest)).toMatchObject({failure: {details: expect.stringMatching(why)}});
});

test('a manifest is used as it was read, and only up to a size', async () => {
  const manifest = await release('one', FILES);
  const read = await readManifest(manifest);
  writeFileSync(manifest, '{}');
  expect(read.ok && (await checkArchive(read.value))).toMatchObject({ok: true});
  truncateSync(manifest, 5e9);
  expect(await readManifest(manifest)).toMatchObject({
    failure: {code: 'USAGE', details: expect.stringContaining('more than')},
  });
});

test('what differs between releases is named: flags, and the line of a text', async () => {
  const [one, other] = [
    await release('one', FILES),
    await release('other', {...FILES, a: 'one\n2\n'}, '-O2'),
  ];
  const compared = await compareReleases(one, other, {userEnvironment: {PATH: '/nonexistent'}, signal});
  expect(compared).toMatchObject({ok: true, value: {files: 2, views: []}});
  const differences = compared.ok ? compared.value.differences : [];
  expect(differences).toMatchObject([
    {path: 'archive'},
    {path: 'flag CFLAGS', what: '-O3 became -O2'},
    {path: 'python/a', what: 'line 2: "two" became "2"'},
  ]);
});

test('the same releases are the same', async () => {
  const [one, other] = [await release('one', FILES), await release('other', FILES)];
  expect(await compareReleases(one, other, {userEnvironment: {}, signal})).toMatchObject({
    ok: true,
    value: {differences: []},
  });
});

test('differences of the systems are reported, but not counted for equal archives', async () => {
  const [one, other] = [await release('one', FILES), await release('other', FILES)];
  const manifest = JSON.parse(readFileSync(other, 'utf8')) as Manifest;
  const sha256 = digestOf('of another version');
  const changed: Manifest = {
    ...manifest,
    tools: [{name: 'cc', version: 'gcc 14', sha256: null}],
    inputs: [
      {name: '/usr/include/errno.h', sha256},
      {name: 'Lib/os.py', sha256},
    ],
  };
  writeFileSync(other, manifestText(changed));
  expect(await compareReleases(one, other, {userEnvironment: {}, signal})).toMatchObject({
    ok: true,
    value: {
      differences: [{path: 'input Lib/os.py'}],
      harmless: [{path: 'tool cc'}, {path: 'input /usr/include/errno.h'}],
    },
  });
});
