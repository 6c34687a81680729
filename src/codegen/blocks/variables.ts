import {largestAlign, roundUp} from '../object-file/alignment.js';
import type {ObjectFile, ObjectSection, Relocation} from '../object-file/object-file.js';
import {type Block, type Place, type Target, isAddress} from './block.js';

/**
 * The sections of variables, in the order in which they come in a file. Data lies in them by how it is used, so that pages that are only
 * read stay clean: code objects and their inline caches are written when they run; shared strings when they are hashed and interned;
 * tuples where an interned string lives elsewhere; the rest is hardly ever written.
 */
const SECTIONS: readonly (readonly [Place, string])[] = [
  ['code', 'ff_code'],
  ['tuple', 'ff_tuple'],
  ['text', 'ff_text'],
  ['data', 'ff_data'],
  ['path', 'ff_path'],
  ['constant', '.rodata'],
];

/**
 * The section of text that several modules share, defined in each of them under a name made from its content. Each is in a section of its
 * own, of which the linker keeps one. Weak, because objects that were linked beforehand (src/hosts/link/prelink.ts) have lost the
 * groups of their sections.
 */
const SHARED = 'ff_string';

/** The object file of an image in the absolute model: blocks are variables. `image` gets the name `symbol`, which other files know. */
export function layOutVariables(symbol: string, image: Block, blocks: readonly Block[]): ObjectFile {
  const drafts: {name: string; blocks: Block[]; group?: string}[] = [];
  // By the number of the block: an object for each of a million blocks is a third of the memory.
  const sections = new Int32Array(blocks.length);
  const offsets = new Float64Array(blocks.length);
  for (const [place, name] of SECTIONS) {
    const members = blocks.filter((block) => block.place === place);
    if (members.length === 0) continue;
    let end = 0;
    for (const block of members) {
      const offset = roundUp(end, block.align);
      sections[block.index] = drafts.length;
      offsets[block.index] = offset;
      end = offset + block.bytes.length;
    }
    drafts.push({name, blocks: members});
  }
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
