import type {ObjectFile, ObjectSection} from '../../../src/codegen/object-file/object-file.js';
import type {ImageLayout, Word} from '../../../src/codegen/probe/image-layout.js';
import type {TemplateName} from '../../../src/codegen/probe/templates.js';

/** A block of an image in the absolute model, as it lies in its section. */
export interface SeenBlock {
  readonly name: string;
  readonly section: string;
  /** The name of the weak symbol at its start, if the linker keeps one out of several modules. */
  readonly group: string | undefined;
  readonly bytes: Buffer;
  /** What the words of it point to: the label of a block and an offset in it, or a symbol of the interpreter and an offset. */
  readonly pointers: ReadonlyMap<number, string>;
}

/** The blocks of an image in the absolute model, by their labels. */
export function blocksOf({sections}: ObjectFile): ReadonlyMap<string, SeenBlock> {
  const seen = new Map<string, SeenBlock>();
  const labelAt = (section: ObjectSection | undefined, at: number): string => {
    const label = section?.labels.findLast((each) => each.at <= at);
    return withOffset(label?.name ?? '?', at - (label?.at ?? 0));
  };
  for (const section of sections) {
    section.labels.forEach(({name, at}, i) => {
      const end = section.labels[i + 1]?.at ?? section.bytes.length;
      const inside = section.relocations.filter((each) => each.at >= at && each.at < end);
      const pointers = inside.map(({at: place, target, addend}): [number, string] => [
        place - at,
        typeof target === 'string' ? withOffset(target, addend) : labelAt(sections[target], addend),
      ]);
      seen.set(name, {
        name,
        section: section.name,
        group: section.group,
        bytes: Buffer.from(section.bytes.subarray(at, end)),
        pointers: new Map(pointers),
      });
    });
  }
  return seen;
}

function withOffset(name: string, offset: number): string {
  return offset === 0 ? name : `${name}+${offset}`;
}

/** The name that `SeenBlock.pointers` has for an object of the interpreter. */
export function nameOfOwn(layout: ImageLayout, name: string): string {
  const {symbol = '', value}: Word = layout.objects.get(name) ?? {value: 0};
  return withOffset(symbol, value);
}

/** What images consist of, read back from their bytes. */
export class ImageReader {
  readonly blocks: ReadonlyMap<string, SeenBlock>;

  constructor(
    file: ObjectFile,
    private readonly layout: ImageLayout,
  ) {
    this.blocks = blocksOf(file);
  }

  /** The blocks whose words have the type of a kind's template. */
  ofKind(...kinds: readonly TemplateName[]): SeenBlock[] {
    const found = [...this.blocks.values()].filter((block) =>
      kinds.some((kind) => {
        const template = this.layout.templates[kind];
        return (
          block.section !== '.rodata' &&
          template.words.length > 0 &&
          template.words.every(({at, symbol}) => symbol === undefined || block.pointers.get(at) === symbol) &&
          this.hasHead(kind, block)
        );
      }),
    );
    return found;
  }

  /** Kinds of str differ in their state only. */
  private hasHead(kind: TemplateName, {bytes}: SeenBlock): boolean {
    const template = this.layout.templates[kind];
    if (bytes.length < template.tail) return false;
    const changed = new Set(
      Object.values(template.fields).flatMap((fields) =>
        fields.flatMap(({at, width}) => Array.from({length: width}, (_, i) => at + i)),
      ),
    );
    if (!['ascii', 'text1', 'text2', 'text4'].includes(kind)) return true;
    return [...template.bytes.subarray(0, template.tail).entries()].every(
      ([i, byte]) => changed.has(i) || bytes[i] === byte,
    );
  }

  /** The value of an argument of a block, as its first field has it. */
  argument(kind: TemplateName, block: SeenBlock, name: string): bigint {
    const template = this.layout.templates[kind];
    const field = template.fields[name]?.[0];
    if (field === undefined) throw new Error(`${kind} has no field ${name}`);
    const read = (bytes: Uint8Array): bigint =>
      Buffer.from(bytes.subarray(field.at, field.at + field.width))
        .reverse()
        .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return (read(block.bytes) - read(template.bytes)) / BigInt(field.factor);
  }

  /** What follows the fields. */
  tail(kind: TemplateName, {bytes}: SeenBlock): Buffer {
    return bytes.subarray(this.layout.templates[kind].tail);
  }

  /** The text of every str, sorted. */
  texts(): {text: string; block: SeenBlock}[] {
    const ascii = this.ofKind('ascii').map((block) => ({
      text: this.tail('ascii', block).toString('latin1', 0, Number(this.argument('ascii', block, 'length'))),
      block,
    }));
    const wide = ([1, 2, 4] as const).flatMap((size) =>
      this.ofKind(`text${size}`).map((block) => {
        const tail = this.tail(`text${size}`, block);
        const length = Number(this.argument(`text${size}`, block, 'length'));
        const codes = Array.from({length}, (_, i) => tail.readUIntLE(i * size, size));
        return {text: codes.map((code) => String.fromCodePoint(code)).join(''), block};
      }),
    );
    return [...ascii, ...wide];
  }

  /** The bits of every float, in hexadecimal. */
  floats(): string[] {
    return this.ofKind('float').map((block) => this.argument('float', block, 'bits').toString(16));
  }

  /** The links of a table, by what they point to; '' ends a list. */
  links(name: string): string[] {
    const table = this.blocks.get(name);
    const size = this.layout.numbers.linkSize;
    return Array.from(
      {length: (table?.bytes.length ?? 0) / size},
      (_, i) => table?.pointers.get(i * size) ?? '',
    );
  }

  /** The constants that the runtime builds: kind, value, and where they go. */
  built(): {kind: number; value: number; items: string; slots: string[]}[] {
    const table = this.blocks.get('built');
    const {size, fields} = this.layout.templates.built;
    const at = (field: string): number => fields[field]?.[0]?.at ?? 0;
    return Array.from({length: (table?.bytes.length ?? size) / size - 1}, (_, i) => ({
      kind: table?.bytes.readInt16LE(i * size + at('kind')) ?? 0,
      value: table?.bytes.readInt16LE(i * size + at('value')) ?? 0,
      items: table?.pointers.get(i * size + at('items')) ?? '',
      slots: this.links(table?.pointers.get(i * size + at('slots')) ?? '').slice(0, -1),
    }));
  }
}
