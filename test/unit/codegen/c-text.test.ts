import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {cString, mangle} from '../../../src/codegen/c-text.js';

/** Reads adjacent C string literals back, as a C compiler does (no trigraphs can arise: `?` is escaped). */
function readLiterals(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [, body = ''] of text.matchAll(/"((?:[^"\\]|\\.)*)"/gs)) {
    for (const [token, octal] of body.matchAll(/\\([0-7]{1,3})|[^\\]/gs)) {
      bytes.push(octal === undefined ? token.charCodeAt(0) : parseInt(octal, 8));
    }
  }
  return Uint8Array.from(bytes);
}

describe('C string literals', () => {
  test('hold exactly the bytes given', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 500}), (bytes) => {
        expect(readLiterals(cString(bytes))).toEqual(bytes);
      }),
    );
  });

  test('never hold a trigraph, a line break inside or a bare non-ASCII byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 500}), (bytes) => {
        const text = cString(bytes);
        expect(text).toMatch(/^"[\x20-\x7e]*"(\n"[\x20-\x7e]*")*$/);
        expect(text).not.toContain('?');
      }),
    );
  });

  test('digits after an escape stay separate', () => {
    expect(cString(Buffer.from('\x017'))).toBe('"\\0017"');
  });
});

describe('names', () => {
  test('different names give different identifiers', () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9_.é-]{1,6}$/);
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(mangle(a) === mangle(b)).toBe(a === b);
        expect(`x${mangle(a)}`).toMatch(/^[A-Za-z0-9_]+$/);
      }),
    );
  });

  test.each([
    ['json.decoder', 'json_Ddecoder'],
    ['_weakrefset', '__weakrefset'],
    ['a_.b', 'a___Db'],
    ['a._b', 'a_D__b'],
  ])('%s becomes %s', (name, identifier) => {
    expect(mangle(name)).toBe(identifier);
  });
});
