import {mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {hashFile} from '../../../src/cache/files.js';
import {digestOf} from '../../../src/model/digest.js';
import {writeArchive} from '../../../src/release/archive.js';
import {checkArchive} from '../../../src/release/integrity.js';
import {type Manifest, manifestText} from '../../../src/release/manifest.js';
import {compareReleases} from '../../../src/release/reproduce.js';

const signal = new AbortController().signal;
const environment = {PATH: process.env['PATH'] ?? ''};
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flashfreeze-integrity-'));
});
afterEach(() => {
  rmSync(folder, {recursive: true});
});

/** A small release; the path of its manifest. */
async function makeRelease(
  name: string,
  files: Readonly<Record<string, string>>,
  flags = '-O3',
): Promise<string> {
  const [root, out] = [join(folder, `${name}-root`), join(folder, name)];
  mkdirSync(root);
  mkdirSync(out);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  const records = await writeArchive(root, 'python', join(out, 'release.tar'), 0, {environment, signal});
  const hashed = await hashFile(join(out, 'release.tar.xz'));
  if (!records.ok || !hashed.ok) throw new Error('no archive');
  const manifest: Manifest = {
    schema: 'flashfreeze-release/1',
    name: 'release',
    python: '3.13.15',
    flashfreeze: {version: '1.0.0', generator: digestOf('')},
    archive: {name: 'release.tar.xz', size: hashed.value.size, sha256: hashed.value.digest},
    recipe: {
      ...{configureArguments: [], makeArguments: [], cc: null, pie: false, builtinExtensions: false},
      selection: {
        ...{startup: true, traces: [], modules: [], packages: [], stdlib: false, exclude: []},
        ...{frozenFirst: false, restsCollector: false, preparesExpressions: true},
      },
      sourceDateEpoch: 0,
      profile: null,
    },
    tools: [{name: 'cc', version: 'gcc 12', sha256: null}],
    flags: {CFLAGS: flags},
    frozen: ['os'],
    inputs: [],
    files: [...records.value],
  };
  const path = join(out, 'release.manifest.json');
  writeFileSync(path, manifestText(manifest));
  return path;
}

const FILES = {a: 'one\ntwo\n', b: 'text'};

test('an archive is the one that its manifest tells of', async () => {
  expect(await checkArchive(await makeRelease('one', FILES))).toMatchObject({ok: true});
});

test('one with another file is not, and the file is named', async () => {
  const [one, other] = [await makeRelease('one', FILES), await makeRelease('other', {...FILES, b: 'TEXT'})];
  renameSync(join(other, '..', 'release.tar.xz'), join(one, '..', 'release.tar.xz'));
  expect(await checkArchive(one)).toMatchObject({ok: false, failure: {code: 'VERIFY', details: 'python/b'}});
});

test('one that is packed in another way is not', async () => {
  const manifest = await makeRelease('one', FILES);
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
    await makeRelease('one', FILES),
    await makeRelease('other', {...FILES, a: 'one\n2\n'}, '-O2'),
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
  const [one, other] = [await makeRelease('one', FILES), await makeRelease('other', FILES)];
  expect(await compareReleases(one, other, {userEnvironment: {}, signal})).toMatchObject({
    ok: true,
    value: {differences: []},
  });
});
