import {readFileSync, renameSync, writeFileSync} from 'node:fs';
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
