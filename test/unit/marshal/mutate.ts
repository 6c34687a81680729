import type {Random} from './random.js';

const TYPE_CODES = Buffer.from('0NFTS.iIlfgxystuaAzZ()[{<>cr:}?', 'latin1');
const COUNTS = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 0xffff, 0x10000, 0x01000000];

/** Bytes near to one of `corpus`: a few changes of the kinds that break readers. */
export function mutated(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = Buffer.from(oneOf(corpus, random));
  for (let changes = 1 + random(4); changes > 0; changes--) bytes = change(bytes, corpus, random);
  return bytes;
}

function change(bytes: Buffer, corpus: readonly Uint8Array[], random: Random): Buffer<ArrayBuffer> {
  const result = Buffer.from(bytes);
  const at = random(bytes.length + 1);
  switch (random(8)) {
    case 0: // a bit flips
      if (at < bytes.length) result.writeUInt8(result.readUInt8(at) ^ (1 << random(8)), at);
      return result;
    case 1: // any byte
      if (at < bytes.length) result.writeUInt8(random(256), at);
      return result;
    case 2: // another type code, with or without FLAG_REF
      if (at < bytes.length) result.writeUInt8(oneOf([...TYPE_CODES], random) | (random(2) << 7), at);
      return result;
    case 3: // a count or a reference number blows up
      if (at + 4 <= bytes.length) result.writeInt32LE(oneOf(COUNTS, random), at);
      return result;
    case 4: // the end is missing
      return result.subarray(0, at);
    case 5: {
      // goes on as another
      const other = oneOf(corpus, random);
      return Buffer.concat([result.subarray(0, at), other.subarray(random(other.length + 1))]);
    }
    case 6: {
      // a part is there once more
      const end = at + random(64);
      return Buffer.concat([result.subarray(0, end), result.subarray(at)]);
    }
    default: {
      // a reference to some object in place of some bytes
      const reference = Buffer.of(0x72, random(64), 0, 0, 0);
      return Buffer.concat([result.subarray(0, at), reference, result.subarray(at + random(12))]);
    }
  }
}

function oneOf<T>(values: readonly T[], random: Random): T {
  const value = values[random(values.length)];
  if (value === undefined) throw new Error('there is nothing to pick from');
  return value;
}
