import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';

import {canonicalKey} from '../../../src/marshal/key.js';
import {readMarshal} from '../../../src/marshal/reader.js';
import {pyObject} from './arbitrary.js';
import {seededRandom} from './random.js';
import {writeMarshal} from './writer.js';

describe.each(['3.10', '3.11'] as const)('any object graph, code form %s', (codeForm) => {
  test('reads back equal, whatever forms and references the writer chose', () => {
    fc.assert(
      fc.property(pyObject(codeForm), fc.nat(), (object, seed) => {
        const read = readMarshal(writeMarshal(object, seededRandom(seed)), {codeForm});
        if (!read.ok) throw new Error(read.failure.message);
        expect(canonicalKey(read.value)).toBe(canonicalKey(object));
        expect(Buffer.compare(writeMarshal(read.value), writeMarshal(object))).toBe(0);
      }),
      {numRuns: 200},
    );
  });

  test('has a canonical key of its own', () => {
    fc.assert(
      fc.property(pyObject(codeForm), pyObject(codeForm), (one, other) => {
        const equal = Buffer.compare(writeMarshal(one), writeMarshal(other)) === 0;
        expect(canonicalKey(one) === canonicalKey(other)).toBe(equal);
        expect(canonicalKey(one).length).toBeLessThan(130);
      }),
      {numRuns: 200},
    );
  });

  test('cannot be read from a part of the bytes', () => {
    fc.assert(
      fc.property(
        pyObject(codeForm),
        fc.nat(),
        fc.double({min: 0, max: 0.999, noNaN: true}),
        (object, seed, part) => {
          const bytes = writeMarshal(object, seededRandom(seed));
          const read = readMarshal(bytes.subarray(0, Math.floor(bytes.length * part)), {codeForm});
          expect(read).toMatchObject({ok: false, failure: {code: 'MARSHAL'}});
        },
      ),
    );
  });
});
