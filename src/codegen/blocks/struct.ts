import {largestAlign, roundUp} from '../object-file/alignment.js';
import type {ObjectFile} from '../object-file/object-file.js';
import type {ImageLayout} from '../probe/image-layout.js';
import {type Block, type Target, isAddress} from './block.js';
import type {BlockList} from './block-list.js';
import {PLACES, writtenPlaces} from './places.js';

/** The kinds in the order of `FF_KIND_…` (src/runtime/flashfreeze.h). */
const OBJECT_KINDS = ['str', 'bytes', 'int', 'float', 'complex', 'tuple'] as const;

const SECTION = 'ff_image';

/** The object file of an image in the position-independent model: one struct that begins with `image`, without a relocation. */
export function layOutStruct(
  symbol: string,
  image: Block,
  list: BlockList,
  {numbers}: ImageLayout,
  countsReferences: boolean,
): ObjectFile {
  const {blocks} = list;
  const lists = OBJECT_KINDS.flatMap((kind) => [
    ...blocks.filter((block) => block.kind === kind).map((block) => ({block, offset: block.object})),
    undefined,
  ]);
  const objects = list.links('objects', lists);
  const members = [
    image,
    ...PLACES.flatMap((place) => blocks.filter((block) => block !== image && block.place === place)),
  ];
  let end = 0;
  const offsets = new Map<Block, number>();
  for (const block of members) {
    const offset = roundUp(end, block.align);
    offsets.set(block, offset);
    end = offset + block.bytes.length;
  }
  const startOf = (block: Block): number => offsets.get(block) ?? 0;
  const align = largestAlign(members);
  const bytes = Buffer.alloc(roundUp(end, align));
  const places = writtenPlaces(countsReferences);
  const written = members.filter((block) => block !== image && places.includes(block.place));
  const [first, last] = [written[0], written.at(-1)];
  list.set(image, 'image', {
    ...{objects: objects.start, size: bytes.length},
    written: first?.start,
    written_size: first && last ? startOf(last) + last.bytes.length - startOf(first) : 0,
  });
  const offsetOf = (target: Target): number =>
    isAddress(target) ? startOf(target.block) + target.offset : target.value;
  for (const block of members) {
    const start = startOf(block);
    bytes.set(block.bytes, start);
    for (const {at, target, form} of block.words) {
      const value = offsetOf(target);
      if (form === 'link') bytes.writeUInt32LE(value, start + at);
      else bytes.writeBigUInt64LE(BigInt(isAddress(target) ? value | numbers.innerTag : value), start + at);
    }
  }
  const labels = members.map((block) => ({name: block.name, at: startOf(block)}));
  return {
    sections: [{name: SECTION, writable: true, align, bytes, relocations: [], labels}],
    symbols: [{name: symbol, section: 0, offset: 0, size: bytes.length}],
  };
}
