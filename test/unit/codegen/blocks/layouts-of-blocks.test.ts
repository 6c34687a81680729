/** Blocks of an image get their places: as variables with relocations, or in parts that need next to none. */
import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {Block, type BlockKind, type Place} from '../../../../src/codegen/blocks/block.js';
import {BlockList} from '../../../../src/codegen/blocks/block-list.js';
import {layOutParts} from '../../../../src/codegen/blocks/parts.js';
import {writtenPlaces} from '../../../../src/codegen/blocks/places.js';
import {layOutVariables} from '../../../../src/codegen/blocks/variables.js';
import type {ObjectFile} from '../../../../src/codegen/object-file/object-file.js';
import type {ImageLayout, Template} from '../../../../src/codegen/probe/image-layout.js';

/** An image's head with a few fields, in place of what a compiler says; the rest of a layout is not asked for. */
const HEAD: Template = {
  ...{size: 48, align: 8, tail: 48, object: 0, bytes: new Uint8Array(48), words: []},
  fields: {
    objects: [{at: 0, width: 4, factor: 1}],
    written: [{at: 8, width: 8, factor: 1}],
    written_size: [{at: 16, width: 4, factor: 1}],
    // a field that counts twice
    ...{'parts[0].size': [{at: 20, width: 4, factor: 2}], 'parts[1].size': [{at: 24, width: 4, factor: 1}]},
    ...{'parts[2].size': [{at: 28, width: 4, factor: 1}], 'parts[3].size': [{at: 32, width: 4, factor: 1}]},
    ...{
      'parts[1].distance': [{at: 36, width: 4, factor: 1}],
      'parts[2].distance': [{at: 40, width: 4, factor: 1}],
    },
    'parts[3].distance': [{at: 44, width: 4, factor: 1}],
  },
};
const LAYOUT = {templates: {image: HEAD}, numbers: {linkSize: 4}} as unknown as ImageLayout;

const KINDS: readonly (readonly [BlockKind, Place])[] = [
  ['code', 'code'],
  ['tuple', 'tuple'],
  ['str', 'text'],
  ['str', 'name'],
  ['str', 'shared'],
  ['int', 'value'],
  ['bytes', 'data'],
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
      expect(file.symbols).toEqual([{name: 'ff_image_m', section, offset: at, size: 48}]);
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

test('parts: no relocations but between them; words are tagged offsets in their part, links name it', () => {
  fc.assert(
    fc.property(DRAWN, fc.boolean(), (drawn, countsReferences) => {
      // Objects lead to objects only, the tables of an image to anything.
      const {list, image} = blocksOf([...drawn, {kind: 0, length: 8, align: 8, to: 0}]);
      const members = [...list.blocks];
      const object = members.at(-1) ?? image;
      for (const block of members.slice(1)) {
        const [word] = block.words;
        if (word === undefined) continue;
        const {block: to} = word.target as {block: Block};
        const form = block.place === 'constant' ? 'link' : 'object';
        const target =
          form === 'object' && to.place === 'constant' ? {block: object, offset: 4} : word.target;
        block.words[0] = {...word, target, form};
      }
      const file = layOutParts('ff_image_m', image, list, LAYOUT, countsReferences);
      const written = writtenPlaces(countsReferences);
      const partOf = ({place}: Block): number =>
        place === 'constant' ? 0 : place === 'shared' ? 2 : written.includes(place) ? 1 : 3;
      const sectionOf = (block: Block): string =>
        ['ff_table', 'ff_written', 'ff_string', 'ff_rest'][partOf(block)] ?? '';
      const names = file.sections.map(({name}) => name);
      const places = placesOf(file);
      expect(file.symbols).toEqual([{name: 'ff_image_m', section: 0, offset: 0, size: 48}]);
      expect(places.get('i0')).toEqual({section: names.indexOf('ff_table'), at: 0});
      expect(places.get('state')).toEqual({section: names.indexOf('ff_written'), at: 0});
      expect(file.sections.map(({writable}) => writable)).toEqual(names.map((name) => name !== 'ff_table'));
      for (const block of members.slice(1)) {
        const {section, at} = places.get(block.name) ?? {section: -1, at: -1};
        expect(names[section]).toBe(sectionOf(block));
        const {bytes} = file.sections[section] ?? {bytes: new Uint8Array()};
        const {target, form} = block.words[0] ?? {};
        const {block: to} = target as {block: Block};
        const offset = (places.get(to.name)?.at ?? 0) + 4;
        expect(at % block.align).toBe(0);
        if (form === 'link') expect(Buffer.from(bytes).readUInt32LE(at)).toBe(offset + partOf(to) * 2 ** 30);
        else expect(Buffer.from(bytes).readBigUInt64LE(at)).toBe(BigInt(offset + partOf(to)));
        expect(Buffer.from(bytes.subarray(at + 8, at + block.bytes.length))).toEqual(
          Buffer.from(block.bytes.subarray(8)),
        );
      }
      // the head: where the lists of objects are, the sizes, of which one counts twice, and the ways to the other parts
      const [head] = file.sections;
      const bytes = Buffer.from(head?.bytes ?? []);
      const sizeOf = (part: string): number =>
        file.sections.find(({name}) => name === part)?.bytes.length ?? 0;
      expect(bytes.readUInt32LE(0)).toBe(places.get('objects')?.at);
      const parts = ['ff_table', 'ff_written', 'ff_string', 'ff_rest'];
      parts.forEach((part, i) => {
        expect(bytes.readUInt32LE(20 + 4 * i)).toBe((i === 0 ? 2 : 1) * sizeOf(part));
      });
      expect(file.sections.flatMap(({relocations}) => relocations)).toEqual(
        names.slice(1).map((name) => {
          const at = 32 + 4 * parts.indexOf(name);
          return {at, target: names.indexOf(name), addend: 0, form: 'distance'};
        }),
      );
    }),
  );
});
