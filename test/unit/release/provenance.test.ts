import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import {canonicalJson} from '../../../src/model/canonical-json.js';
import {digestOf} from '../../../src/model/digest.js';
import type {Manifest} from '../../../src/release/manifest.js';
import {provenanceOf} from '../../../src/release/provenance.js';
import {makeRelease} from '../../support/small-release.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const folder = temporaryDirectory('provenance');
let manifest: Manifest;
let manifestDigest: string;
beforeAll(async () => {
  const path = await makeRelease(join(folder, 'out'), {os: 'pass\n'});
  manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  manifestDigest = digestOf(readFileSync(path));
});

interface Statement {
  readonly subject: readonly {readonly name: string; readonly digest: {readonly sha256: string}}[];
  readonly predicate: {
    readonly buildDefinition: {
      readonly externalParameters: unknown;
      readonly resolvedDependencies: readonly {readonly name: string}[];
    };
  };
}

const statementOf = (of: Manifest): Statement => provenanceOf(of, manifestDigest) as unknown as Statement;

test('its subjects are the files of the release, by their content', () => {
  const {subject} = statementOf(manifest);
  expect(subject).toEqual([
    {
      name: 'release.tar.xz',
      digest: {sha256: digestOf(readFileSync(join(folder, 'out/release.tar.xz')))},
    },
    {name: 'release.manifest.json', digest: {sha256: manifestDigest}},
  ]);
});

test('it names all that the release was made from: tools, with or without a digest, the profile and inputs', () => {
  const more: Manifest = {
    ...manifest,
    tools: [...manifest.tools, {name: 'ld', version: '2.40', sha256: digestOf('ld')}],
    recipe: {...manifest.recipe, profile: {name: 'release.profile.tar', sha256: digestOf('profile')}},
    inputs: [{name: 'Lib/os.py', sha256: digestOf('os')}],
  };
  const {buildDefinition} = statementOf(more).predicate;
  expect(buildDefinition.resolvedDependencies).toEqual([
    {name: 'cc', annotations: {version: 'gcc 12'}},
    {name: 'ld', annotations: {version: '2.40'}, digest: {sha256: digestOf('ld')}},
    {name: 'release.profile.tar', digest: {sha256: digestOf('profile')}},
    {name: 'Lib/os.py', digest: {sha256: digestOf('os')}},
  ]);
  expect(buildDefinition.externalParameters).toEqual({python: '3.13.15', recipe: more.recipe});
});

test('it is the same for the same release, and has no time and no path of the machine', () => {
  const text = canonicalJson(provenanceOf(manifest, manifestDigest));
  expect(canonicalJson(provenanceOf(structuredClone(manifest), manifestDigest))).toBe(text);
  expect(text).not.toMatch(/startedOn|finishedOn|\d{4}-\d\d-\d\dT/);
  expect(text).not.toContain(folder);
});
