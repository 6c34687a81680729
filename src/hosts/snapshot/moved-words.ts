import {type DumpHeader, type Range, readObjects} from './dump-format.js';

/** A part of a dump. Thread-local data has no address of its own. */
export type Part = 'data' | 'region' | 'thread-local data';

/** Halves of words, as a start numbers them: which half of the word, and which one of the address is there. */
const HALVES = [undefined, 'low', 'high of low', 'low of high', 'high'] as const;
type Half = Exclude<(typeof HALVES)[number], undefined>;
const WIDTH = 32n;

/** Where a half is in its word, and in the address, in bits. */
function shiftsOf(half: Half): readonly [word: bigint, address: bigint] {
  const number = HALVES.indexOf(half) - 1;
  return [number % 2 === 0 ? 0n : WIDTH, number < 2 ? 0n : WIDTH];
}

/** A word that points into an object of which each process has its own place, such as libc (src/runtime/snapshot/move-words.c). */
export interface MovedWord {
  readonly part: Part;
  /** In structures that were copied as bytes, not that of an aligned word. */
  readonly address: number;
  /** That half of it holds a half of an address; by default the word is one. */
  readonly half?: Half;
  /** Its number in the list of the dump. */
  readonly object: number;
  /** From the start of the object. */
  readonly offset: number;
}

const WORD = 8;
/** Where in the number of a half how far behind aligned words these are begins. */
const SHIFTED = 256;
/** The bytes of a `ff_moves`, and of a `ff_move`. */
const GROUP_SIZE = 24;
const MOVE_SIZE = 8;

/** Where a part of memory begins, and where its bytes are in a dump. */
export function placeOfPart(
  part: Part,
  {data, dataOffset, region, regionOffset, tlsOffset}: DumpHeader,
): {readonly address: number; readonly offset: number} {
  if (part === 'data') return {address: data, offset: dataOffset};
  return part === 'region' ? {address: region, offset: regionOffset} : {address: 0, offset: tlsOffset};
}

/** Writes into a dump, in place, what moved words are in a process whose objects lie at `objects`; without these they are zero. */
export function putMovedWords(
  dump: Buffer,
  header: DumpHeader,
  words: readonly MovedWord[],
  objects?: readonly Range[],
): void {
  for (const {part, address, half, object, offset} of words) {
    const place = placeOfPart(part, header);
    const value = BigInt(objects === undefined ? 0 : (objects[object]?.address ?? 0) + offset);
    const at = place.offset + address - place.address;
    if (half === undefined) {
      dump.writeBigUInt64LE(value, at);
      continue;
    }
    const [inWord, inAddress] = shiftsOf(half);
    dump.writeUInt32LE(Number(BigInt.asUintN(32, value >> inAddress)), at + Number(inWord) / 8);
  }
}

/** The table that a start reads: words in groups of one part, one object, one half, and one alignment. */
export function encodeMoves(
  words: readonly MovedWord[],
  header: DumpHeader,
): {readonly bytes: Buffer; readonly count: number} {
  const groups = new Map<string, MovedWord[]>();
  for (const word of words) {
    const key = `${word.part} ${word.object} ${word.half ?? ''} ${word.address % WORD}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [word]);
    else group.push(word);
  }
  const encoded = [...groups.values()].map((group) => {
    const [{part, object, half, address: first} = {part: 'data', object: 0, address: 0} as const] = group;
    const start = placeOfPart(part, header).address;
    const bytes = Buffer.alloc(GROUP_SIZE + MOVE_SIZE * group.length);
    bytes.writeBigUInt64LE(BigInt(start), 0);
    bytes.writeUInt32LE(object, 8);
    bytes.writeUInt32LE(HALVES.indexOf(half) + SHIFTED * (first % WORD), 12);
    bytes.writeBigUInt64LE(BigInt(group.length), 16);
    for (const [i, {address, offset}] of group.entries()) {
      bytes.writeUInt32LE(Math.floor((address - start) / WORD), GROUP_SIZE + MOVE_SIZE * i);
      bytes.writeUInt32LE(offset, GROUP_SIZE + MOVE_SIZE * i + 4);
    }
    return bytes;
  });
  return {bytes: Buffer.concat(encoded), count: encoded.length};
}

/** The words in the table of a snapshot. */
export function readMoves(
  snapshot: Buffer,
  {data, region, moveCount, moveOffset}: DumpHeader,
): readonly MovedWord[] {
  const words: MovedWord[] = [];
  let at = moveOffset;
  for (let group = 0; group < moveCount; group++) {
    const [start, count] = [Number(snapshot.readBigUInt64LE(at)), Number(snapshot.readBigUInt64LE(at + 16))];
    const object = snapshot.readUInt32LE(at + 8);
    const kind = snapshot.readUInt32LE(at + 12);
    const half = HALVES[kind % SHIFTED];
    const part = start === data ? 'data' : start === region ? 'region' : 'thread-local data';
    at += GROUP_SIZE;
    for (let i = 0; i < count; i++, at += MOVE_SIZE) {
      const address = start + WORD * snapshot.readUInt32LE(at) + Math.floor(kind / SHIFTED);
      const offset = snapshot.readUInt32LE(at + 4);
      words.push({part, address, object, offset, ...(half === undefined ? {} : {half})});
    }
  }
  return words;
}

/** Tells which words point into the objects of two dumps; `readObjects` of both. */
export class ObjectsOfTwo {
  private readonly objects: readonly {
    readonly object: number;
    readonly size: bigint;
    readonly places: readonly [bigint, bigint];
  }[];

  constructor([a, first]: readonly [Buffer, DumpHeader], [b, second]: readonly [Buffer, DumpHeader]) {
    const others = readObjects(b, second);
    this.objects = readObjects(a, first).flatMap(({address, size}, object) => {
      const other = others[object];
      if (size === 0 || other?.size !== size) return [];
      return [{object, size: BigInt(size), places: [BigInt(address), BigInt(other.address)] as const}];
    });
  }

  /** Where the objects lie that have one place in both, as they do where addresses are not random: which words point to them only their values tell. */
  get unmoved(): readonly (readonly [bigint, bigint])[] {
    return this.objects.flatMap(({size, places: [a, b]}) => (a === b ? [[a, a + size] as const] : []));
  }

  /** What a word with these values points to, or each half of it that differs; undefined if that is none of them. */
  find([a, b]: readonly [bigint, bigint]): readonly Omit<MovedWord, 'part' | 'address'>[] | undefined {
    const whole = this.findBits([a, b], 64);
    if (whole !== undefined) return [whole];
    const halves: Omit<MovedWord, 'part' | 'address'>[] = [];
    for (const inWord of [0n, WIDTH]) {
      const values = [BigInt.asUintN(32, a >> inWord), BigInt.asUintN(32, b >> inWord)] as const;
      if (values[0] === values[1]) continue;
      const low = this.findBits(values, 32);
      const found = low ?? this.findUpper(values);
      if (found === undefined) return undefined;
      const names =
        low === undefined ? (['low of high', 'high'] as const) : (['low', 'high of low'] as const);
      halves.push({half: names[inWord === 0n ? 0 : 1], ...found});
    }
    return halves.length === 0 ? undefined : halves;
  }

  /**
   * The pointer, or the half of one, that is no aligned word and has all bytes in which two parts differ at `at`; undefined if there is none. Compiled code pushes
   * structures as bytes, with parts that nobody has written.
   */
  findUnaligned(
    a: Buffer,
    b: Buffer,
    at: number,
  ): (Omit<MovedWord, 'part' | 'address'> & {at: number}) | undefined {
    const differs = [...Array(WORD).keys()].filter((i) => a[at + i] !== b[at + i]);
    const [first, last] = [at + (differs.at(0) ?? 0), at + (differs.at(-1) ?? 0)];
    for (const size of [WORD, WORD / 2]) {
      for (let from = Math.max(last - size + 1, 0); from <= first && from + size <= a.length; from++) {
        if (from % WORD === 0) continue;
        const values =
          size === WORD
            ? ([a.readBigUInt64LE(from), b.readBigUInt64LE(from)] as const)
            : ([BigInt(a.readUInt32LE(from)), BigInt(b.readUInt32LE(from))] as const);
        const whole = size === WORD ? this.findBits(values, 64) : undefined;
        if (whole !== undefined) return {at: from, ...whole};
        const upper = size === WORD ? undefined : this.findUpper(values);
        if (upper !== undefined) return {at: from, half: 'low of high', ...upper};
      }
    }
    return undefined;
  }

  /** The object whose address has this upper half. */
  private findUpper([a, b]: readonly [bigint, bigint]): Pick<MovedWord, 'object' | 'offset'> | undefined {
    const found = this.objects.find(({places}) => places[0] >> WIDTH === a && places[1] >> WIDTH === b);
    return found === undefined ? undefined : {object: found.object, offset: 0};
  }

  /** Compared are so many bits of the addresses. */
  private findBits(
    [a, b]: readonly [bigint, bigint],
    bits: number,
  ): Pick<MovedWord, 'object' | 'offset'> | undefined {
    for (const {object, size, places} of this.objects) {
      const offset = BigInt.asUintN(bits, a - places[0]);
      if (offset < size && BigInt.asUintN(bits, b - places[1]) === offset) {
        return {object, offset: Number(offset)};
      }
    }
    return undefined;
  }
}
