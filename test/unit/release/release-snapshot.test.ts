import {describe, expect, test} from '@jest/globals';
import {seedOf} from '../../../src/hosts/snapshot/dump-request.js';
import {digestOf} from '../../../src/model/digest.js';
import {parseLibraries} from '../../../src/release/release-root.js';
import {checkPlace} from '../../../src/release/release-snapshot.js';

describe('the directory of a release', () => {
  test.each(['/opt/python', '/usr/local/my python', '/flash'])('%s', (at) => {
    expect(checkPlace(at)).toEqual({ok: true, value: undefined});
  });

  test.each(['python', '/', '/opt/', '/opt/../x', '/proc/1', '/dev', '/flashfreeze', '/usr', '/usr/lib', ''])(
    'is not %s',
    (at) => {
      expect(checkPlace(at)).toMatchObject({ok: false, failure: {code: 'USAGE'}});
    },
  );
});

test('the seed of a release is that of its executable, and never zero', () => {
  expect(seedOf(digestOf('a'))).toBe(seedOf(digestOf('a')));
  expect(seedOf(digestOf('a'))).not.toBe(seedOf(digestOf('b')));
  expect(seedOf('00000000'.padEnd(64, '0'))).toBe(1);
  expect(seedOf('ffffffff'.padEnd(64, '0'))).toBe(1);
  expect(seedOf('fffffffe'.padEnd(64, '0'))).toBe(2 ** 32 - 1);
});

test('the libraries that an executable is loaded with', () => {
  const text = `\tlinux-vdso.so.1 (0x00007ffd)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f1)
\tlibodd.so => /opt/a b/libodd.so (0x00007f2)
\tlibmissing.so => not found
\t/lib64/ld-linux-x86-64.so.2 (0x00007f3)
`;
  expect(parseLibraries(text)).toEqual([
    '/lib/x86_64-linux-gnu/libm.so.6',
    '/opt/a b/libodd.so',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
});
