/** What a program begins with, asked of real interpreters: what the environment and `site` decide is in the digest, and nothing else. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import {Recording} from '../../../../src/fs/recording.js';
import {programStart} from '../../../../src/pipeline/modules/program-start.js';
import {findPythons} from '../../../../support/pythons.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('program-start');
const [found] = findPythons().slice(-1);
const site = join(folder, 'venv', 'lib', `python${found?.series ?? ''}`, 'site-packages');
const work = join(folder, 'work');
const LONG_AGO = new Date('2020-01-01');

/** Old, so that its state says enough. */
function put(name: string, text: string): void {
  writeFileSync(join(site, name), text);
  utimesSync(join(site, name), LONG_AGO, LONG_AGO);
  utimesSync(site, LONG_AGO, LONG_AGO);
}

beforeAll(() => {
  execFileSync(found?.python ?? '', ['-m', 'venv', '--without-pip', join(folder, 'venv')]);
  for (const each of [work, join(folder, 'a'), join(folder, 'b')]) mkdirSync(each);
  put(
    'shop.pth',
    'import os, sys; sys.path.append(os.environ.get("SHOP", "/none")); os.environ.get("SEEN")\n',
  );
});

async function start(user: Readonly<Record<string, string>>, python = join(folder, 'venv', 'bin', 'python')) {
  if (found === undefined) throw new Error('no Python');
  const recording = new Recording();
  const digest = await recording.run(() => programStart({...found, python}, user, '/', {work}));
  return {digest, paths: recording.paths().map(({path}) => path), gap: recording.gap()};
}

test('variables count by what they change', async () => {
  const plain = await start({SHOP: join(folder, 'a')});
  expect(plain.gap).toBeUndefined();
  expect(plain.paths).toEqual(expect.arrayContaining([site, join(site, 'shop.pth')]));
  const digests = async (changes: readonly Record<string, string>[]) => {
    const all = [];
    for (const change of changes) all.push((await start({SHOP: join(folder, 'a'), ...change})).digest);
    return all;
  };
  const same = await digests([
    {},
    {TERM: 'dumb'},
    {SHLVL: '9'},
    {SEEN: '1'},
    {PYTHONUNBUFFERED: '1'},
    {OTHER: 'x'},
  ]);
  expect(new Set(same)).toEqual(new Set([plain.digest]));
  const others = await digests([
    {SHOP: join(folder, 'b')},
    {PYTHONPATH: join(folder, 'b')},
    {PYTHONNOUSERSITE: ''},
  ]);
  expect(others.slice(0, 2)).not.toContain(plain.digest);
  expect(others[2]).toBe(plain.digest);
});

test('so do files that site loads', async () => {
  const before = await start({});
  put('more.pth', `${join(folder, 'b')}\n`);
  const after = await start({});
  expect(after.digest).not.toBe(before.digest);
  put('more.pth', `import sys; sys.path.insert(0, ${JSON.stringify(join(folder, 'a'))})\n`);
  const edited = await start({});
  expect([before.digest, after.digest]).not.toContain(edited.digest);
  rmSync(join(site, 'more.pth'));
  put('sitecustomize.py', 'x = 1\n');
  const custom = await start({});
  put('sitecustomize.py', 'xyz = 1\n');
  expect([before.digest, custom.digest]).not.toContain((await start({})).digest);
  rmSync(join(site, 'sitecustomize.py'));
  expect((await start({})).digest).toBe(before.digest);
});

test('an interpreter that does not start is asked by every build', async () => {
  const broken = await start({}, join(folder, 'nothing'));
  expect(broken).toMatchObject({digest: '', gap: expect.stringContaining('start')});
});
