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

/** Where a block lies: in a section, at an offset. */
interface Location {
  readonly section: number;
  readonly offset: number;
}

/** The object file of an image in the absolute model: blocks are variables. `image` gets the name `symbol`, which other files know. */
export function layOutVariables(symbol: string, image: Block, blocks: readonly Block[]): ObjectFile {
  const drafts: {name: string; blocks: Block[]; group?: string}[] = [];
  const locations = new Map<Block, Location>();
  for (const [place, name] of SECTIONS) {
    const members = blocks.filter((block) => block.place === place);
    if (members.length === 0) continue;
    let end = 0;
    for (const block of members) {
      const offset = roundUp(end, block.align);
      locations.set(block, {section: drafts.length, offset});
      end = offset + block.bytes.length;
    }
    drafts.push({name, blocks: members});
  }
  for (const block of blocks) {
    if (block.place !== 'shared') continue;
    locations.set(block, {section: drafts.length, offset: 0});
    drafts.push({name: SHARED, blocks: [block], group: block.name});
  }
  const locate = (block: Block): Location => locations.get(block) ?? {section: 0, offset: 0};
  const resolve = (target: Target): Omit<Relocation, 'at'> | number => {
    if (!isAddress(target))
      return target.symbol === undefined ? target.value : {target: target.symbol, addend: target.value};
    const {block, offset} = target;
    if (block.place === 'shared') return {target: block.name, addend: offset};
    const {section, offset: start} = locate(block);
    return {target: section, addend: start + offset};
  };
  const {section, offset} = locate(image);
  return {
    sections: drafts.map(({name, blocks: members, group}): ObjectSection => ({
      name,
      writable: name !== '.rodata',
      align: largestAlign(members),
      ...fill(members, locate, resolve),
      ...(group === undefined ? {} : {group}),
    })),
    symbols: [{name: symbol, section, offset, size: image.bytes.length}],
  };
}

function fill(
  blocks: readonly Block[],
  locate: (block: Block) => Location,
  resolve: (target: Target) => Omit<Relocation, 'at'> | number,
): Pick<ObjectSection, 'bytes' | 'relocations' | 'labels'> {
  const last = blocks.at(-1);
  const bytes = Buffer.alloc(last === undefined ? 0 : locate(last).offset + last.bytes.length);
  const relocations: Relocation[] = [];
  const labels = blocks.map((block) => ({name: block.name, at: locate(block).offset}));
  for (const block of blocks) {
    const {offset} = locate(block);
    bytes.set(block.bytes, offset);
    for (const {at, target} of block.words) {
      const value = resolve(target);
      if (typeof value === 'number') bytes.writeBigUInt64LE(BigInt(value), offset + at);
      else relocations.push({at: offset + at, ...value});
    }
  }
  relocations.sort((a, b) => a.at - b.at);
  return {bytes, relocations, labels};
}
