import {type DumpHeader, PAGE, type Range, readHeader, readRanges} from './dump-format.js';
import {fail, ok, type Result} from '../../model/result.js';
import {type MovedWord, ObjectsOfTwo, type Part, placeOfPart} from './moved-words.js';

/** A word that differs in two dumps of the same imports, and that nothing explains. */
export interface UnexplainedWord {
  readonly part: Part;
  readonly address: number;
  readonly values: readonly [bigint, bigint];
}

/** How two dumps of the same imports differ. */
export interface Differences {
  /** What nothing explains. */
  readonly words: readonly UnexplainedWord[];
  /** Words that point into what lies elsewhere in each process. */
  readonly moved: readonly MovedWord[];
}

const WORD = 8;

/**
 * The words in which two dumps differ, but for those that keep the value of their process. The two processes had other address
 * spaces, numbers and times, so memory that is equal in both depends on none of these. Fails with SNAPSHOT when the dumps have
 * different sizes: then the imports themselves took another course.
 */
export function compareDumps(a: Buffer, b: Buffer): Result<Differences> {
  const [first, second] = [readHeader(a), readHeader(b)];
  if (!first.ok) return first;
  if (!second.ok) return second;
  const [header, other] = [first.value, second.value];
  if ((['dataSize', 'regionSize', 'tlsSize'] as const).some((field) => header[field] !== other[field])) {
    return fail('SNAPSHOT', 'the same imports took different amounts of memory in two runs', {
      hint: 'a module does something else each time when it is imported; leave it out with --exclude',
    });
  }
  const owned = ownedWords(readRanges(a, header));
  const objects = new ObjectsOfTwo([a, header], [b, other]);
  const words: UnexplainedWord[] = [];
  const moved: MovedWord[] = [];
  const sizes = {data: header.dataSize, region: header.regionSize, 'thread-local data': header.tlsSize};
  for (const [part, size] of Object.entries(sizes) as [Part, number][]) {
    const {address, offset} = placeOfPart(part, header);
    const start = placeOfPart(part, other).offset;
    const own = a.subarray(offset, offset + size);
    const its = b.subarray(start, start + size);
    for (const at of differingWords(own, its, objects.unmoved)) {
      if (part === 'data' && owned.has(address + at)) continue;
      const values = [wordAt(own, at), wordAt(its, at)] as const;
      const found = objects.find(values);
      const unaligned = found === undefined ? objects.findUnaligned(own, its, at) : undefined;
      if (found !== undefined) moved.push(...found.map((each) => ({part, address: address + at, ...each})));
      else if (unaligned === undefined) words.push({part, address: address + at, values});
      else {
        const {at: from, ...rest} = unaligned;
        moved.push({part, address: address + from, ...rest});
      }
    }
  }
  return ok({words, moved});
}

/** Makes words of data zero, in place. */
export function clearWords(
  dump: Buffer,
  {data, dataOffset}: Pick<DumpHeader, 'data' | 'dataOffset'>,
  words: readonly UnexplainedWord[],
): void {
  for (const {part, address} of words) {
    if (part === 'data') dump.fill(0, dataOffset + address - data, dataOffset + address - data + WORD);
  }
}

/** The words of data that the dynamic linker fills in. */
function ownedWords(ranges: readonly Range[]): ReadonlySet<number> {
  const words = new Set<number>();
  for (const {address, size} of ranges) {
    for (let word = address - (address % WORD); word < address + size; word += WORD) words.add(word);
  }
  return words;
}

/** The offsets of the words in which two buffers of one size differ, and of those with a value in one of `ranges`. Whole pages are compared first. */
function* differingWords(
  a: Buffer,
  b: Buffer,
  ranges: readonly (readonly [bigint, bigint])[],
): Generator<number> {
  for (let start = 0; start < a.length; start += PAGE) {
    const end = Math.min(start + PAGE, a.length);
    if (ranges.length === 0 && a.compare(b, start, end, start, end) === 0) continue;
    for (let word = start; word < end; word += WORD) {
      const last = Math.min(word + WORD, end);
      if (a.compare(b, word, last, word, last) !== 0) yield word;
      else if (ranges.length > 0) {
        const value = wordAt(a, word);
        if (ranges.some(([from, to]) => value >= from && value < to)) yield word;
      }
    }
  }
}

function wordAt(bytes: Buffer, offset: number): bigint {
  return offset + WORD <= bytes.length ? bytes.readBigUInt64LE(offset) : 0n;
}
