/** What is read from the reports of sanitizers (test/support/sanitizer-reports.ts). */
import {describe, expect, test} from '@jest/globals';
import {errorsIn, leaksIn} from '../../support/sanitizer-reports.js';

const OVERFLOW = (
  pid: number,
  address: string,
): string => `=================================================================
==${pid}==ERROR: AddressSanitizer: heap-buffer-overflow on address ${address} at pc 0x5a bp 0x7f sp 0x7f
READ of size 8 at ${address} thread T0
    #0 0x55d0 in unicode_hash Objects/unicodeobject.c:10
    #1 0x55d1 in ff_thaw src/runtime/images.c:20

${address} is located 0 bytes to the right of 32-byte region
allocated by thread T0 here:
    #0 0x7f20 in __interceptor_malloc (/lib/libasan.so.8+0x1)
`;

describe('errors', () => {
  test('are alike without addresses and processes', () => {
    expect([...errorsIn([OVERFLOW(12, '0x6020'), OVERFLOW(13, '0x6040')])]).toEqual([
      ['heap-buffer-overflow: unicode_hash < ff_thaw', 2],
    ]);
  });

  test('of undefined behaviour are alike without numbers', () => {
    const line = (shifted: string): string =>
      `Objects/longobject.c:12:5: runtime error: left shift of negative value ${shifted}\n    #0 0x1 in f\n`;
    expect([...errorsIn([line('-1') + line('-2')])]).toEqual([
      ['Objects/longobject.c:12: left shift of negative value #', 2],
    ]);
  });

  test('none are seen in what programs print', () => {
    expect(errorsIn(['ERROR: AddressSanitizer: in a text\n', 'runtime error: of a program\n']).size).toBe(0);
  });
});

test('bytes of leaks are summed up for each stack', () => {
  const leak = (kind: string, bytes: number): string =>
    `${kind} leak of ${bytes} byte(s) in 1 object(s) allocated from:\n    #0 0x1 in malloc (a)\n    #1 0x2 in PyMem_RawMalloc b.c:1\n\n`;
  expect([...leaksIn([leak('Direct', 8) + leak('Indirect', 16), leak('Direct', 1)])]).toEqual([
    ['malloc < PyMem_RawMalloc', 25],
  ]);
});
