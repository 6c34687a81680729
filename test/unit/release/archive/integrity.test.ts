import {execFileSync} from 'node:child_process';
import {readFileSync, renameSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {digestOf} from '../../../../src/model/digest.js';
import {checkArchive} from '../../../../src/release/archive/integrity.js';
import {type Manifest, manifestText} from '../../../../src/release/manifest.js';
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

const FILES = {a: 'one\ntwo\n', b: 'text'};

test('an archive matches its manifest', async () => {
  expect(await checkArchive(await release('one', FILES))).toMatchObject({ok: true});
});

test('an archive with another file does not, and the file is named', async () => {
  const [one, other] = [await release('one', FILES), await release('other', {...FILES, b: 'TEXT'})];
  renameSync(join(other, '..', 'release.tar.xz'), join(one, '..', 'release.tar.xz'));
  expect(await checkArchive(one)).toMatchObject({ok: false, failure: {code: 'VERIFY', details: 'python/b'}});
});

test('an archive that is packed in another way does not', async () => {
  const manifest = await release('one', FILES);
  const text = readFileSync(manifest, 'utf8');
  const {archive} = JSON.parse(text) as Manifest;
  writeFileSync(manifest, text.replace(archive.sha256, digestOf('something else')));
  expect(await checkArchive(manifest)).toMatchObject({
    ok: false,
    failure: {code: 'VERIFY', details: expect.stringMatching(/^its sha256 is /)},
  });
});

test('a missing archive is a failure, unless only the manifest is checked', async () => {
  const manifest = await release('one', FILES);
  unlinkSync(join(manifest, '..', 'release.tar.xz'));
  expect(await checkArchive(manifest)).toMatchObject({
    ok: false,
    failure: {code: 'VERIFY', message: expect.stringMatching(/not found/)},
  });
  expect(await checkArchive(manifest, true)).toMatchObject({ok: true});
});

test('the manifest of an old release under the name of a new one is none', async () => {
  const manifest = await release('one', FILES);
  const renamed = join(manifest, '..', 'new.manifest.json');
  renameSync(manifest, renamed);
  const text = readFileSync(renamed, 'utf8');
  const forged = {code: 'VERIFY'};
  for (const manifestOnly of [false, true])
    expect(await checkArchive(renamed, manifestOnly)).toMatchObject({ok: false, failure: forged});
  writeFileSync(manifest, text.replace('release.tar.xz', '../release.tar.xz'));
  expect(await checkArchive(manifest)).toMatchObject({ok: false, failure: forged});
  const named = join(manifest, '..', 'cpython-3.13.16-x-flashfreeze.manifest.json');
  writeFileSync(named, text.replaceAll(/"release(\.tar\.xz)?"/g, '"cpython-3.13.16-x-flashfreeze$1"'));
  expect(await checkArchive(named)).toMatchObject({
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
  expect(await checkArchive(manifest)).toMatchObject({failure: {code: 'VERIFY'}});
  const text = readFileSync(manifest, 'utf8');
  const {sha256} = (JSON.parse(text) as Manifest).archive;
  // Also if the manifest, which may well be signed, names this archive.
  writeFileSync(manifest, text.replace(sha256, digestOf(bomb)));
  expect(await checkArchive(manifest)).toMatchObject({
    failure: {details: expect.stringMatching(/^it unpacks to more than|Invalid tar header/)},
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
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
