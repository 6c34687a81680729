/** The profile beside a manifest, which somebody may replace while a release is built again. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {digestOf} from '../../../../src/model/digest.js';
import {takeProfile} from '../../../../src/release/reproduction/reproduce.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('take-profile');
const manifest = join(folder, 'python.manifest.json');
const beside = join(folder, 'python.profile.tar.xz');
const buildDir = join(folder, 'build');
const wanted = {recipe: {profile: {name: 'python.profile.tar.xz', sha256: digestOf('counts')}}};

test('what is used is what was compared, whatever happens to the file beside the manifest', async () => {
  writeFileSync(beside, 'counts');
  const taken = await takeProfile(manifest, wanted, {buildDir});
  writeFileSync(beside, 'other counts');
  expect(taken).toEqual({ok: true, value: expect.stringContaining(buildDir)});
  expect(taken.ok && readFileSync(taken.value ?? '', 'utf8')).toBe('counts');
});

test('another one, and one that is not there', async () => {
  writeFileSync(beside, 'other counts');
  expect(await takeProfile(manifest, wanted, {buildDir})).toMatchObject({failure: {code: 'VERIFY'}});
  const nowhere = join(folder, 'nowhere');
  expect(await takeProfile(manifest, wanted, {buildDir, profile: nowhere})).toMatchObject({
    failure: {code: 'IO', hint: expect.stringContaining(wanted.recipe.profile.sha256)},
  });
});

test('a release without a profile', async () => {
  expect(await takeProfile(manifest, {recipe: {profile: null}}, {buildDir})).toEqual({ok: true});
});
