/** Blocks of an image get their places: as variables with relocations, or in one struct that needs none. */
import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {Block, type BlockKind, type Place} from '../../../../src/codegen/blocks/block.js';
import {BlockList} from '../../../../src/codegen/blocks/block-list.js';
import {writtenPlaces} from '../../../../src/codegen/blocks/places.js';
import {layOutStruct} from '../../../../src/codegen/blocks/struct.js';
import {layOutVariables} from '../../../../src/codegen/blocks/variables.js';
import type {ObjectFile} from '../../../../src/codegen/object-file/object-file.js';
import type {ImageLayout, Template} from '../../../../src/codegen/probe/image-layout.js';

/** An image's head with four fields, in place of what a compiler says; the rest of a layout is not asked for. */
const HEAD: Template = {
  ...{size: 24, align: 8, tail: 24, object: 0, bytes: new Uint8Array(24), words: []},
  fields: {
    objects: [{at: 0, width: 4, factor: 1}],
    size: [{at: 4, width: 4, factor: 2}],
    written: [{at: 8, width: 8, factor: 1}],
    written_size: [{at: 16, width: 4, factor: 1}],
  },
};
const LAYOUT = {templates: {image: HEAD}, numbers: {linkSize: 4, innerTag: 1}} as unknown as ImageLayout;

const KINDS: readonly (readonly [BlockKind, Place])[] = [
  ['code', 'code'],
  ['tuple', 'tuple'],
  ['str', 'text'],
  ['str', 'shared'],
  ['int', 'data'],
  ['table', 'constant'],
];

interface Drawn {
  readonly kind: number;
  readonly length: number;
  readonly align: number;
  readonly to: number;
}

const DRAWN = fc.array(
  fc.record({
    kind: fc.nat(KINDS.length - 1),
    length: fc.integer({min: 8, max: 40}),
    align: fc.constantFrom(1, 4, 8, 16),
    to: fc.nat(30),
  }),
  {minLength: 1, maxLength: 20},
);

/** Blocks that are filled with their number, each with one word at its start that points into another. */
function blocksOf(drawn: readonly Drawn[]): {list: BlockList; image: Block} {
  const list = new BlockList(LAYOUT);
  const image = list.make({letter: 'i', kind: 'table', place: 'constant', template: 'image', arguments: {}});
  for (const {kind, length, align} of drawn) {
    const [of, place] = KINDS[kind] ?? ['table', 'constant'];
    const index = list.blocks.length;
    list.blocks.push(new Block(index, 'b', of, place, new Uint8Array(length).fill(index), align));
  }
  drawn.forEach(({to}, i) => {
    const block = list.blocks[to % list.blocks.length] ?? image;
    list.blocks[i + 1]?.words.push({at: 0, target: {block, offset: 4}, form: 'object'});
  });
  return {list, image};
}

/** The place of each block by its label. */
function placesOf({sections}: ObjectFile): Map<string, {section: number; at: number}> {
  return new Map(
    sections.flatMap(({labels}, section) => labels.map(({name, at}) => [name, {section, at}] as const)),
  );
}

test('variables: each block has its own aligned place, and words refer to places of others', () => {
  fc.assert(
    fc.property(DRAWN, fc.boolean(), (drawn, countsReferences) => {
      const {list, image} = blocksOf(drawn);
      const file = layOutVariables('ff_image_m', image, list, countsReferences);
      const places = placesOf(file);
      expect(places.size).toBe(list.blocks.length);
      for (const block of list.blocks.slice(1)) {
        const {section, at} = places.get(block.name) ?? {section: -1, at: -1};
        const {bytes, align, group, relocations} = file.sections[section] ?? {bytes: new Uint8Array()};
        expect(at % block.align).toBe(0);
        expect((align ?? 1) % block.align).toBe(0);
        expect(bytes.subarray(at, at + block.bytes.length)).toEqual(Buffer.from(block.bytes));
        expect(group).toBe(block.place === 'shared' ? block.name : undefined);
        const word = relocations?.filter((each) => each.at === at);
        const {block: to} = block.words[0]?.target as {block: Block};
        const there = places.get(to.name);
        expect(word).toEqual([
          to.place === 'shared'
            ? {at, target: to.name, addend: 4}
            : {at, target: there?.section, addend: (there?.at ?? 0) + 4},
        ]);
      }
      const {section, at} = places.get('i0') ?? {section: -1, at: -1};
      expect(file.symbols).toEqual([{name: 'ff_image_m', section, offset: at, size: 24}]);
      // what the first use writes: a section of its own, or nothing
      const own = new Set<Place>(writtenPlaces(countsReferences).filter((place) => place !== 'shared'));
      const written = list.blocks.filter((block) => own.has(block.place)).map(({name}) => name);
      const there = file.sections.findIndex(({name}) => name === 'ff_written');
      const labels = file.sections[there]?.labels.map(({name}) => name) ?? [];
      expect(labels.toSorted()).toEqual(written.toSorted());
      const head = file.sections[section];
      const pointer = head?.relocations.find((each) => each.at === at + 8);
      expect(pointer).toEqual(there < 0 ? undefined : {at: at + 8, target: there, addend: 0});
      const size = Buffer.from(head?.bytes ?? []).readUInt32LE(at + 16);
      expect(size).toBe(file.sections[there]?.bytes.length ?? 0);
    }),
  );
});

test('a struct: no relocations; words are tagged offsets from its start, where the image is', () => {
  fc.assert(
    fc.property(DRAWN, fc.boolean(), (drawn, countsReferences) => {
      const {list, image} = blocksOf(drawn);
      const members = [...list.blocks];
      const file = layOutStruct('ff_image_m', image, list, LAYOUT, countsReferences);
      const [section] = file.sections;
      const bytes = Buffer.from(section?.bytes ?? []);
      expect(file.sections).toHaveLength(1);
      expect(section?.relocations).toEqual([]);
      expect(file.symbols).toEqual([{name: 'ff_image_m', section: 0, offset: 0, size: bytes.length}]);
      const places = placesOf(file);
      expect(places.get('i0')?.at).toBe(0);
      for (const block of members.slice(1)) {
        const at = places.get(block.name)?.at ?? -1;
        const {block: to} = block.words[0]?.target as {block: Block};
        expect(at % block.align).toBe(0);
        expect(bytes.readBigUInt64LE(at)).toBe(BigInt(((places.get(to.name)?.at ?? 0) + 4) | 1));
        expect(bytes.subarray(at + 8, at + block.bytes.length)).toEqual(Buffer.from(block.bytes.subarray(8)));
      }
      // the head: where the lists of objects are, and the size, whose field counts twice
      expect(bytes.readUInt32LE(0)).toBe(places.get('objects')?.at);
      expect(bytes.readUInt32LE(4)).toBe(2 * bytes.length);
      const start = bytes.readUInt32LE(8);
      for (const block of members.slice(1)) {
        const at = places.get(block.name)?.at ?? -1;
        const isInside = at >= start && at + block.bytes.length <= start + bytes.readUInt32LE(16);
        expect(isInside).toBe(writtenPlaces(countsReferences).includes(block.place));
      }
    }),
  );
});
