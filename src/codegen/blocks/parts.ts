import {largestAlign, roundUp} from '../object-file/alignment.js';
import type {ObjectFile, ObjectSection, Relocation} from '../object-file/object-file.js';
import type {ImageLayout} from '../probe/image-layout.js';
import {PARTS, PART_FIELDS, type Part} from '../probe/templates.js';
import {type Block, type Target, isAddress} from './block.js';
import type {BlockList} from './block-list.js';
import {PLACES, writtenPlaces} from './places.js';

/** The kinds in the order of `FF_KIND_…` (src/runtime/flashfreeze.h). */
const OBJECT_KINDS = ['str', 'bytes', 'int', 'float', 'complex', 'tuple'] as const;

/**
 * Each part is in a section of its own: tables are read before the kernel is asked for the pages of what is written, and strings of one module
 * are used by others. A page that a process has read already costs several times more when it is written (docs/performance.md).
 */
const SECTIONS: Readonly<Record<Part, string>> = {
  tables: 'ff_table',
  written: 'ff_written',
  strings: 'ff_string',
  rest: 'ff_rest',
};

/** The bits of a link that are the offset in a part; the number of the part is in those above (`FF_PART_SHIFT`). */
const OFFSET_BITS = 30;

/**
 * The object file of an image in the position-independent model: parts, of which the first are the tables, which begin with `image`. It has
 * three relocations at most, which the linker resolves: how far the other parts lie from the fields of `image` that lead to them.
 * @param countsReferences whether the interpreter counts references to static objects
 */
export function layOutParts(
  symbol: string,
  image: Block,
  list: BlockList,
  {templates}: ImageLayout,
  countsReferences: boolean,
): ObjectFile {
  const {blocks} = list;
  const lists = OBJECT_KINDS.flatMap((kind) => [
    ...blocks.filter((block) => block.kind === kind).map((block) => ({block, offset: block.object})),
    undefined,
  ]);
  // The runtime notes in the first word of what is written that the pointers are there.
  const state = list.table('state', Buffer.alloc(8), 8, 'code');
  list.set(image, 'image', {objects: list.links('objects', lists).start});
  const places = writtenPlaces(countsReferences);
  const partOf = ({place}: Block): Part => {
    if (place === 'constant') return 'tables';
    if (place === 'shared') return 'strings';
    return places.includes(place) ? 'written' : 'rest';
  };
  const first = new Set([image, state]);
  const members = [
    ...first,
    ...PLACES.flatMap((place) => blocks.filter((block) => block.place === place && !first.has(block))),
  ];
  const offsets = new Map<Block, number>();
  const layOut = (part: Part): {blocks: readonly Block[]; size: number} => {
    const own = members.filter((block) => partOf(block) === part);
    let end = 0;
    for (const block of own) {
      const offset = roundUp(end, block.align);
      offsets.set(block, offset);
      end = offset + block.bytes.length;
    }
    return {blocks: own, size: roundUp(end, largestAlign(own))};
  };
  const parts = PARTS.map((part) => ({part, ...layOut(part)}));
  list.set(
    image,
    'image',
    Object.fromEntries(parts.map(({part, size}): [string, number] => [PART_FIELDS[part].size, size])),
  );

  const valueOf = (target: Target, form: 'link' | 'object'): number => {
    if (!isAddress(target)) return target.value;
    const number = PARTS.indexOf(partOf(target.block));
    return (
      (offsets.get(target.block) ?? 0) + target.offset + number * (form === 'link' ? 2 ** OFFSET_BITS : 1)
    );
  };
  const used = parts.filter(({size}) => size > 0);
  const distances = used.flatMap(({part}, target): Relocation[] => {
    const [field] = templates.image.fields[PART_FIELDS[part].distance] ?? [];
    return field === undefined || part === 'tables'
      ? []
      : [{at: field.at, target, addend: 0, form: 'distance'}];
  });
  return {
    sections: used.map(({part, blocks: own, size}): ObjectSection => {
      const bytes = Buffer.alloc(size);
      for (const block of own) {
        const start = offsets.get(block) ?? 0;
        bytes.set(block.bytes, start);
        for (const {at, target, form} of block.words) {
          const value = valueOf(target, form);
          if (form === 'link') bytes.writeUInt32LE(value, start + at);
          else bytes.writeBigUInt64LE(BigInt(value), start + at);
        }
      }
      return {
        ...{name: SECTIONS[part], writable: part !== 'tables', align: largestAlign(own), bytes},
        relocations: part === 'tables' ? distances : [],
        labels: own.map((block) => ({name: block.name, at: offsets.get(block) ?? 0})),
      };
    }),
    symbols: [{name: symbol, section: 0, offset: 0, size: image.bytes.length}],
  };
}
