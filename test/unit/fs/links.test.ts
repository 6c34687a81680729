import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {linksOn, readLink} from '../../../src/fs/links.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const folder = temporaryDirectory('links');
const at = (name: string): string => join(folder, name);
mkdirSync(at('real/package'), {recursive: true});
writeFileSync(at('real/package/module.py'), '');
symlinkSync('real', at('relative'));
symlinkSync(at('relative/package'), at('absolute'));
symlinkSync('../real/package/module.py', at('real/file'));
symlinkSync('loop', at('loop'));
symlinkSync('nowhere/at/all', at('dangling'));

test.each([
  ['real/package', []],
  ['relative/package/module.py', ['relative']],
  ['absolute/module.py', ['absolute', 'relative']],
  ['relative/../real/file', ['relative', 'real/file']],
  ['dangling/below', ['dangling']],
  ['not/there', []],
])('%s leads through %j', (path, links) => {
  expect(linksOn(`${folder}/${path}`)).toEqual(links.map(at));
});

test('a circle ends', () => {
  expect(new Set(linksOn(at('loop/x')))).toEqual(new Set([at('loop')]));
});

test('only a symbolic link leads somewhere', () => {
  expect(readLink(at('relative'))).toBe('real');
  expect(readLink(at('real'))).toBeUndefined();
  expect(readLink(at('gone'))).toBeUndefined();
});
