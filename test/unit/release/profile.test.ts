import {mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {writeArchive} from '../../../src/release/archive.js';
import {storedProfile} from '../../../src/release/profile.js';

const run = {environment: {PATH: process.env['PATH'] ?? ''}, signal: new AbortController().signal};
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flashfreeze-profile-'));
});
afterEach(() => {
  rmSync(folder, {recursive: true});
});

async function packed(files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, 'counts');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), {recursive: true});
    writeFileSync(join(root, name), text);
  }
  const archive = join(folder, 'profile.tar');
  expect(await writeArchive(root, 'profile', archive, 0, run)).toMatchObject({ok: true});
  return `${archive}.xz`;
}

test('lies beside the objects that it is of, also where there is no folder yet', async () => {
  const profile = storedProfile(await packed({'Objects/dict.gcda': 'a', 'Modules/_io/io.gcda': 'b'}));
  const build = join(folder, 'build');
  expect(await profile.unpackInto(build)).toEqual({ok: true, value: undefined});
  expect(readFileSync(join(build, 'Objects', 'dict.gcda'), 'utf8')).toBe('a');
  expect(readFileSync(join(build, 'Modules', '_io', 'io.gcda'), 'utf8')).toBe('b');
});

test('that holds something else is refused, and one that is none', async () => {
  const profile = storedProfile(await packed({Makefile: 'all: ; echo'}));
  const build = join(folder, 'build');
  expect(await profile.unpackInto(build)).toMatchObject({ok: false, failure: {code: 'USAGE'}});
  writeFileSync(join(folder, 'text'), 'text');
  expect(await storedProfile(join(folder, 'text')).unpackInto(build)).toMatchObject({
    ok: false,
    failure: {code: 'IO'},
  });
  expect(readdirSync(folder)).not.toContain('build');
});
