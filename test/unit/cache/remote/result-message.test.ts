import fc from 'fast-check';
import {describe, expect, test} from '@jest/globals';
import {decodeResult, encodeResult} from '../../../../src/cache/remote/result-message.js';
import {digestOf} from '../../../../src/model/digest.js';
import {keyFrom} from './rig.js';

const keyRecord = '{"action":"cc:a"}';
const key = digestOf(keyRecord);
const outputs = [
  {name: 'a.o', digest: digestOf('object'), size: 6, executable: false},
  {name: 'bin/program', digest: digestOf('program'), size: 300, executable: true},
];
const record = {keyRecord, outputs};

/** A field of a message in protobuf's wire format: number, type 2 (length, bytes). */
const bytes = (field: number, content: Uint8Array | string): Buffer =>
  Buffer.concat([Buffer.from([(field << 3) | 2, content.length]), Buffer.from(content)]);
const number = (field: number, ...value: number[]): Buffer => Buffer.from([field << 3, ...value]);

describe('a result encoded as a message', () => {
  test('has the fields that the Remote Execution API says', () => {
    const file = (path: string, digest: string, size: number[], executable: boolean): Buffer =>
      bytes(
        2,
        Buffer.concat([
          bytes(1, path),
          bytes(2, Buffer.concat([bytes(1, digest), number(2, ...size)])),
          ...(executable ? [number(4, 1)] : []),
        ]),
      );
    const expected = Buffer.concat([
      file('key.json', key, [keyRecord.length], false),
      file('outputs/a.o', digestOf('object'), [6], false),
      file('outputs/bin/program', digestOf('program'), [0xac, 0x02], true),
      bytes(9, bytes(1, 'flashfreeze')),
    ]);
    expect(Buffer.from(encodeResult(key, record))).toEqual(expected);
  });

  test('is decoded unchanged', () => {
    expect(decodeResult(encodeResult(key, record), key, keyRecord)).toEqual({kind: 'record', record});
  });
});

describe('bytes of any kind', () => {
  const signingKey = keyFrom('a secret of thirty-two bytes, or more');
  const message = encodeResult(key, record, signingKey);

  test('are rejected, and never a result', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 300}), (noise) => {
        expect(decodeResult(noise, key, keyRecord).kind).toBe('damaged');
      }),
      {numRuns: 500},
    );
  });

  test('that differ a little from a signed result are rejected, or have the same meaning', () => {
    const anywhere = fc.record({
      at: fc.nat(message.length - 1),
      to: fc.integer({min: 0, max: 255}),
      cut: fc.option(fc.nat(message.length - 1)),
    });
    fc.assert(
      fc.property(anywhere, ({at, to, cut}) => {
        const changed = Buffer.from(message);
        changed[at] = to;
        const decoded = decodeResult(changed.subarray(0, cut ?? changed.length), key, keyRecord, signingKey);
        if (decoded.kind === 'record') expect(decoded.record).toEqual(record);
      }),
      {numRuns: 2000},
    );
  });
});
