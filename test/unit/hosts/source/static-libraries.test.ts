import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {describe, expect, test} from '@jest/globals';
import {parseSearchDirs} from '../../../../src/hosts/source/static-libraries.js';
import {testWith} from '../../../support/with.js';

describe('where a compiler looks for libraries', () => {
  test.each([
    ['install: /a/\nprograms: =/b/:/c/\nlibraries: =/d/:/e/../f/:/d\n', ['/d', '/e/../f']],
    ['programs: =/b\nlibraries: =/d:/e f\n', ['/d', '/e f']],
    ['libraries: /d//:../lib/:/\n', ['/d', '/']],
    ['libraries: =\n', []],
    ['', []],
  ])('%j', (text, folders) => {
    expect(parseSearchDirs(text)).toEqual(folders);
  });

  for (const compiler of ['gcc', 'clang']) {
    const listed = spawnSync(compiler, ['-print-search-dirs'], {encoding: 'utf8'});
    testWith(listed.status === 0, compiler)(`as ${compiler} finds them itself`, () => {
      const folders = parseSearchDirs(listed.stdout);
      for (const name of ['libc.a', 'libgcc.a', 'libz.a', 'libgone.a']) {
        const {stdout} = spawnSync(compiler, [`-print-file-name=${name}`], {encoding: 'utf8'});
        const path = stdout.trim();
        expect(folders.map((folder) => `${folder}/${name}`).find((each) => existsSync(each)) ?? name).toBe(
          path.replace(/\/+(?=[^/]*$)/, '/'),
        );
      }
    });
  }
});
