import {expect, test} from '@jest/globals';
import {readMakeRequest} from '../../../../src/hosts/make/make-request.js';

const told = {
  FLASHFREEZE_MAKE_SRCDIR: '../Python-3.13.15',
  FLASHFREEZE_MAKE_STAGE1: '_flashfreeze_python',
  FLASHFREEZE_MAKE_CC: ' gcc -m64 ',
  FLASHFREEZE_MAKE_CFLAGS: '-O2 -DX="y"',
  FLASHFREEZE_MAKE_LINK: 'gcc -Xlinker -export-dynamic',
  FLASHFREEZE_MAKE_SHARED: '0',
  FLASHFREEZE_MAKE_PIE: '',
};

test('names are relative to the directory that make runs in', () => {
  expect(readMakeRequest('/build/flashfreeze', told)).toEqual({
    ok: true,
    value: {
      source: '/Python-3.13.15',
      srcdir: '../Python-3.13.15',
      cpython: '/build',
      buildDir: '/build/flashfreeze',
      stage1: '/build/_flashfreeze_python',
      variables: {CC: 'gcc -m64', PY_CORE_CFLAGS: '-O2 -DX="y"'},
      link: 'gcc -Xlinker -export-dynamic',
      shared: false,
      pie: false,
    },
  });
});

test('without make it fails with a hint', () => {
  expect(readMakeRequest('/build/flashfreeze', {...told, FLASHFREEZE_MAKE_CC: undefined})).toMatchObject({
    ok: false,
    failure: {code: 'USAGE', message: expect.stringContaining('Makefile.inc')},
  });
});
