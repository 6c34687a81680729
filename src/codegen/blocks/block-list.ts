import {roundUp} from '../object-file/alignment.js';
import type {Field, ImageLayout, Template, TemplateWord} from '../probe/image-layout.js';
import type {TemplateName} from '../probe/templates.js';
import {ZeroedPool} from './zeroed-pool.js';
import {Block, type BlockKind, type PendingWord, type Place, type Target} from './block.js';

/** The value of an argument: a number, a pointer to an object, or nothing (NULL). */
export type Argument = number | bigint | Target | undefined;

export interface BlockRequest {
  /** The first letter of its name. */
  readonly letter: string;
  readonly kind: BlockKind;
  readonly place: Place;
  readonly template: TemplateName;
  readonly arguments: Readonly<Record<string, Argument>>;
  /** What follows the template. */
  readonly tail?: Uint8Array;
  /** Bytes that the tail has room for, if more than its own. */
  readonly capacity?: number;
  /** The whole name, instead of a letter and a number. */
  readonly name?: string;
}

/** The blocks of one image, in the order in which they were made. */
export class BlockList {
  readonly blocks: Block[] = [];
  readonly #layout: ImageLayout;
  readonly #pool = new ZeroedPool();
  readonly #words = new Map<TemplateWord, PendingWord>();

  constructor(layout: ImageLayout) {
    this.#layout = layout;
  }

  /** Makes an object, or a table of one row, from its template. */
  make(request: BlockRequest): Block {
    const template = this.#layout.templates[request.template];
    const {tail, capacity = tail?.length ?? 0} = request;
    const bytes = this.#pool.take(roundUp(template.tail + capacity, template.align));
    bytes.set(template.bytes.subarray(0, template.tail));
    if (tail !== undefined) bytes.set(tail, template.tail);
    const {kind, place} = request;
    const {letter, name = letter} = request;
    const {align, object} = template;
    const isNamed = request.name !== undefined;
    const words = template.words.filter(({symbol}) => symbol !== undefined).map((word) => this.#wordOf(word));
    const block = new Block(this.blocks.length, name, kind, place, bytes, align, object, isNamed, words);
    this.blocks.push(block);
    for (const {at, symbol, value} of template.words)
      if (symbol === undefined) words.push({at, target: {block, offset: value}, form: 'object'});
    fill(block, bytes, template, 0, request.arguments, kind === 'table' ? 'link' : 'object');
    return block;
  }

  /** A word that is the same in all objects of a template is one object here: there are hundreds of thousands of them. */
  #wordOf(word: TemplateWord): PendingWord {
    const known = this.#words.get(word) ?? {at: word.at, target: word, form: 'object'};
    this.#words.set(word, known);
    return known;
  }

  /** Sets arguments of an object that was made without them, and are numbers or targets. */
  set(block: Block, template: TemplateName, values: Readonly<Record<string, Argument>>): void {
    fill(block, block.bytes as Buffer, this.#layout.templates[template], 0, values, 'link');
  }

  /** Makes a table of the runtime's of given bytes. */
  table(name: string, bytes: Uint8Array, align: number, place: Place = 'constant'): Block {
    const block = new Block(this.blocks.length, name, 'table', place, bytes, align, 0, true);
    this.blocks.push(block);
    return block;
  }

  /** Makes a table of links, ended by what is NULL. */
  links(name: string, targets: readonly (Target | undefined)[]): Block {
    const {linkSize} = this.#layout.numbers;
    const block = this.table(name, Buffer.alloc(targets.length * linkSize), linkSize);
    targets.forEach((target, i) => {
      if (target !== undefined) block.words.push({at: i * linkSize, target, form: 'link'});
    });
    return block;
  }

  /** Makes a table of rows from one template, and one row of zeros at its end. */
  rows(name: string, template: TemplateName, rows: readonly Readonly<Record<string, Argument>>[]): Block {
    const each = this.#layout.templates[template];
    const bytes = Buffer.alloc(each.size * (rows.length + 1));
    const block = this.table(name, bytes, each.align);
    rows.forEach((row, i) => {
      fill(block, bytes, each, i * each.size, row, 'link');
    });
    return block;
  }
}

function fill(
  block: Block,
  bytes: Buffer,
  {fields}: Template,
  start: number,
  values: Readonly<Record<string, Argument>>,
  form: 'object' | 'link',
): void {
  for (const [parameter, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const places = fields[parameter];
    if (places === undefined) throw new Error(`a template has no ${parameter}`);
    for (const field of places) {
      if (typeof value === 'object') block.words.push({at: start + field.at, target: value, form});
      else addTo(bytes, start + field.at, field, value);
    }
  }
}

function addTo(bytes: Buffer, at: number, {width, factor}: Field, value: number | bigint): void {
  switch (width) {
    case 1:
      bytes[at] = (bytes[at] ?? 0) + factor * Number(value);
      return;
    case 2:
      bytes.writeUInt16LE((bytes.readUInt16LE(at) + factor * Number(value)) & 0xffff, at);
      return;
    case 4:
      bytes.writeUInt32LE((bytes.readUInt32LE(at) + factor * Number(value)) >>> 0, at);
      return;
    default: {
      const sum = bytes.readBigUInt64LE(at) + BigInt(factor) * BigInt(value);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, sum), at);
    }
  }
}
