import {type DumpHeader, type Range, readObjects} from './dump-format.js';

/** A part of a dump. Thread-local data has no address of its own. */
export type Part = 'data' | 'region' | 'thread-local data';

/** A word that points into an object of which each process has its own place, such as libc (src/runtime/snapshot/move-words.c). */
export interface MovedWord {
  readonly part: Part;
  readonly address: number;
  /** Its number in the list of the dump. */
  readonly object: number;
  /** From the start of the object. */
  readonly offset: number;
}

const WORD = 8;
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
  for (const {part, address, object, offset} of words) {
    const place = placeOfPart(part, header);
    const value = objects === undefined ? 0 : (objects[object]?.address ?? 0) + offset;
    dump.writeBigUInt64LE(BigInt(value), place.offset + address - place.address);
  }
}

/** The table that a start reads: words in groups of one part and one object. */
export function encodeMoves(
  words: readonly MovedWord[],
  header: DumpHeader,
): {readonly bytes: Buffer; readonly count: number} {
  const groups = new Map<string, MovedWord[]>();
  for (const word of words) {
    const key = `${word.part} ${word.object}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [word]);
    else group.push(word);
  }
  const encoded = [...groups.values()].map((group) => {
    const [{part, object} = {part: 'data', object: 0} as const] = group;
    const start = placeOfPart(part, header).address;
    const bytes = Buffer.alloc(GROUP_SIZE + MOVE_SIZE * group.length);
    for (const [i, value] of [start, object, group.length].entries()) {
      bytes.writeBigUInt64LE(BigInt(value), 8 * i);
    }
    for (const [i, {address, offset}] of group.entries()) {
      bytes.writeUInt32LE((address - start) / WORD, GROUP_SIZE + MOVE_SIZE * i);
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
    const [start = 0, object = 0, count = 0] = [0, 8, 16].map((field) =>
      Number(snapshot.readBigUInt64LE(at + field)),
    );
    const part = start === data ? 'data' : start === region ? 'region' : 'thread-local data';
    at += GROUP_SIZE;
    for (let i = 0; i < count; i++, at += MOVE_SIZE) {
      const address = start + WORD * snapshot.readUInt32LE(at);
      words.push({part, address, object, offset: snapshot.readUInt32LE(at + 4)});
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

  /** What a word with these values points to; undefined if that is none of them. */
  find([a, b]: readonly [bigint, bigint]): Pick<MovedWord, 'object' | 'offset'> | undefined {
    for (const {object, size, places} of this.objects) {
      const offset = a - places[0];
      if (offset >= 0n && offset < size && b - places[1] === offset) {
        return {object, offset: Number(offset)};
      }
    }
    return undefined;
  }
}
