import {largestAlign, roundUp} from '../object-file/alignment.js';
import type {ObjectFile, ObjectSection, Relocation} from '../object-file/object-file.js';
import {type Block, type Place, type Target, isAddress} from './block.js';
import type {BlockList} from './block-list.js';
import {PLACES, writtenPlaces} from './places.js';

/** The section of what the first use of a module writes: one piece for each module. */
const WRITTEN = 'ff_written';

/** The sections of what it does not write. */
const SECTIONS: Readonly<Partial<Record<Place, string>>> = {
  text: 'ff_text',
  value: 'ff_data',
  data: 'ff_data',
  constant: '.rodata',
};

/**
 * The section of text that several modules share, defined in each of them under a name made from its content. Each is in a section of its
 * own, of which the linker keeps one. Weak, because objects that were linked beforehand (src/hosts/link/prelink.ts) have lost the
 * groups of their sections.
 */
const SHARED = 'ff_string';

/**
 * The object file of an image in the absolute model: blocks are variables. `image` gets the name `symbol`, which other files know.
 * @param countsReferences whether the interpreter counts references to static objects
 */
export function layOutVariables(
  symbol: string,
  image: Block,
  list: BlockList,
  countsReferences: boolean,
): ObjectFile {
  const {blocks} = list;
  const drafts: {name: string; blocks: Block[]; group?: string}[] = [];
  // By the number of the block: an object for each of a million blocks is a third of the memory.
  const sections = new Int32Array(blocks.length);
  const offsets = new Float64Array(blocks.length);
  const place = (name: string, members: Block[]): number => {
    let end = 0;
    for (const block of members) {
      const offset = roundUp(end, block.align);
      sections[block.index] = drafts.length;
      offsets[block.index] = offset;
      end = offset + block.bytes.length;
    }
    if (members.length > 0) drafts.push({name, blocks: members});
    return end;
  };
  const written = writtenPlaces(countsReferences);
  const blocksAt = (at: Place): Block[] => blocks.filter((block) => block.place === at);
  const first = written.filter((at) => at !== 'shared').flatMap(blocksAt);
  list.set(image, 'image', {written: first[0]?.start, written_size: place(WRITTEN, first)});
  const rest = PLACES.filter((at) => !written.includes(at));
  const sectionFor = (at: Place): string => SECTIONS[at] ?? WRITTEN;
  for (const name of new Set(rest.map(sectionFor)))
    place(name, rest.filter((at) => sectionFor(at) === name).flatMap(blocksAt));
  for (const block of blocks) {
    if (block.place !== 'shared') continue;
    sections[block.index] = drafts.length;
    drafts.push({name: SHARED, blocks: [block], group: block.name});
  }
  const offsetOf = ({index}: Block): number => offsets[index] ?? 0;
  const sectionOf = ({index}: Block): number => sections[index] ?? 0;
  const resolve = (target: Target): Omit<Relocation, 'at'> | number => {
    if (!isAddress(target))
      return target.symbol === undefined ? target.value : {target: target.symbol, addend: target.value};
    const {block, offset} = target;
    if (block.place === 'shared') return {target: block.name, addend: offset};
    return {target: sectionOf(block), addend: offsetOf(block) + offset};
  };
  return {
    sections: drafts.map(({name, blocks: members, group}): ObjectSection => {
      let labels: ObjectSection['labels'] | undefined;
      return {
        name,
        writable: name !== '.rodata',
        align: largestAlign(members),
        ...fill(members, offsetOf, resolve),
        ...(group === undefined ? {} : {group}),
        // Only people read them.
        get labels() {
          return (labels ??= members.map((block) => ({name: block.name, at: offsetOf(block)})));
        },
      };
    }),
    symbols: [{name: symbol, section: sectionOf(image), offset: offsetOf(image), size: image.bytes.length}],
  };
}

function fill(
  blocks: readonly Block[],
  offsetOf: (block: Block) => number,
  resolve: (target: Target) => Omit<Relocation, 'at'> | number,
): Pick<ObjectSection, 'bytes' | 'relocations'> {
  const last = blocks.at(-1);
  const bytes = Buffer.alloc(last === undefined ? 0 : offsetOf(last) + last.bytes.length);
  const relocations: Relocation[] = [];
  for (const block of blocks) {
    const offset = offsetOf(block);
    bytes.set(block.bytes, offset);
    for (const {at, target} of block.words) {
      const value = resolve(target);
      if (typeof value === 'number') bytes.writeBigUInt64LE(BigInt(value), offset + at);
      else relocations.push({at: offset + at, ...value});
    }
  }
  relocations.sort((a, b) => a.at - b.at);
  return {bytes, relocations};
}
