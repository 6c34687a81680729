import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {digestOf} from '../../../../src/model/digest.js';
import {
  createPrecompiledHeader,
  type PrecompiledHeader,
} from '../../../../src/pipeline/compile/precompiled-header.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let work: string;
let made: string[];
beforeEach(() => {
  work = temporaryDirectory();
  made = [];
});

function header(key = 'key', succeeds = true): PrecompiledHeader {
  return createPrecompiledHeader(work, 'python3.13.h', digestOf(key), (output) => {
    made.push(output);
    writeFileSync(output, succeeds ? 'precompiled' : 'half');
    return Promise.resolve(succeeds);
  });
}

async function ask(asked: PrecompiledHeader, times: number): Promise<(readonly string[])[]> {
  const flags = [];
  for (let i = 0; i < times; i += 1) flags.push(await asked.flags());
  return flags;
}
const folderOf = (key = 'key'): string => join(work, `headers-${digestOf(key).slice(0, 16)}`);

test('it is made for the fourth compilation, and used from then on', async () => {
  const used = [`-I${folderOf()}`];
  expect(await ask(header(), 6)).toEqual([[], [], [], used, used, used]);
  expect(made).toHaveLength(1);
  expect(readdirSync(folderOf())).toEqual(['python3.13.h.gch']);
});

test('a later build uses it for the first compilation', async () => {
  await ask(header(), 4);
  expect(await ask(header(), 1)).toEqual([[`-I${folderOf()}`]]);
  expect(made).toHaveLength(1);
});

test('one of another key is another one, and replaces it', async () => {
  await ask(header(), 4);
  writeFileSync(join(work, 'index.c'), '');
  await ask(header('other'), 4);
  expect(readdirSync(work).sort()).toEqual([`headers-${digestOf('other').slice(0, 16)}`, 'index.c']);
});

test('when it cannot be made, compilations do without, and nobody tries again', async () => {
  expect(await ask(header('key', false), 6)).toEqual(Array.from({length: 6}, () => []));
  expect(made).toHaveLength(1);
  expect(readdirSync(folderOf())).toEqual([]);
});

test('when its directory cannot be made, compilations do without', async () => {
  writeFileSync(folderOf(), '');
  expect(await ask(header(), 5)).toEqual(Array.from({length: 5}, () => []));
  expect(made).toEqual([]);
});
