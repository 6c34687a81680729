import type {Machine, Note} from '../object-file/object-file.js';
import type {NUMBERS} from './probe-source.js';
import type {TemplateName} from './templates.js';

/** How images of a target look, byte by byte: what a probe says that its compiler has compiled (probe-object.ts). */
export interface ImageLayout {
  readonly machine: Machine;
  readonly templates: Readonly<Record<TemplateName, Template>>;
  readonly numbers: Readonly<Record<(typeof NUMBERS)[number], number>>;
  /** The interpreter's own objects, by the names of `ownObjects`. */
  readonly objects: ReadonlyMap<string, Word>;
}

/** A word of eight bytes: a number, or the address of a symbol and a number. */
export interface Word {
  readonly symbol?: string;
  readonly value: number;
}

/** An object of one kind without its arguments. */
export interface Template {
  /** In bytes, of an object with an empty tail; aligned. */
  readonly size: number;
  readonly align: number;
  /** Where the tail begins. */
  readonly tail: number;
  /** Where the Python object begins: behind the collector's head, if there is one. */
  readonly object: number;
  readonly bytes: Uint8Array;
  /** The words of it that are addresses. */
  readonly words: readonly TemplateWord[];
  readonly fields: Readonly<Record<string, readonly Field[]>>;
}

export interface TemplateWord {
  readonly at: number;
  /** Not given: the object itself. */
  readonly symbol?: string;
  readonly value: number;
}

/** A field to which an argument, times a factor, is added. */
export interface Field {
  readonly at: number;
  /** In bytes: 1, 2, 4 or 8. */
  readonly width: number;
  readonly factor: number;
}

/** An image layout as text: what an action keeps of a probe. The same layouts give the same text. */
export function encodeImageLayout({machine, templates, numbers, objects}: ImageLayout): string {
  const plain = {
    machine: {...machine, notes: machine.notes.map((note) => ({...note, bytes: hex(note.bytes)}))},
    templates: Object.fromEntries(
      Object.entries(templates).map(([name, template]) => [name, {...template, bytes: hex(template.bytes)}]),
    ),
    numbers,
    objects: [...objects],
  };
  return `${JSON.stringify(plain)}\n`;
}

interface Encoded {
  readonly machine: Omit<Machine, 'notes'> & {
    readonly notes: readonly (Omit<Note, 'bytes'> & {readonly bytes: string})[];
  };
  readonly templates: Readonly<Record<TemplateName, Omit<Template, 'bytes'> & {readonly bytes: string}>>;
  readonly numbers: ImageLayout['numbers'];
  readonly objects: readonly (readonly [string, Word])[];
}

/** Reads what `encodeImageLayout` wrote: the output of an action, whose digest was compared. */
export function decodeImageLayout(text: string): ImageLayout {
  const {machine, templates, numbers, objects} = JSON.parse(text) as Encoded;
  return {
    machine: {...machine, notes: machine.notes.map((note) => ({...note, bytes: unhex(note.bytes)}))},
    templates: Object.fromEntries(
      Object.entries(templates).map(([name, template]) => [
        name,
        {...template, bytes: unhex(template.bytes)},
      ]),
    ) as unknown as ImageLayout['templates'],
    numbers,
    objects: new Map(objects),
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function unhex(text: string): Uint8Array {
  return Buffer.from(text, 'hex');
}
