import {type Result, fail, ok} from '../../model/result.js';
import type {Layout} from '../layout.js';
import {
  type ElfFile,
  type ElfRelocation,
  type ElfSymbol,
  elfRelocations,
  elfSymbols,
  readElf,
} from '../object-file/read-elf.js';
import type {WellKnownStrings} from '../objects/well-known.js';
import type {Field, ImageLayout, Template, TemplateWord, Word} from './image-layout.js';
import {MARKERS, type Marker, NUMBERS, PROBE, SIZES, ownObjects} from './probe-source.js';
import {type TemplateName, type TemplateSpec, templateSpecs} from './templates.js';

const SHT_NOTE = 7;
/** Which protections the code keeps to: the linker drops those that an object does not have. */
const PROPERTIES = '.note.gnu.property';

/** A variable of the probe: its bytes, and the addresses among them. */
interface Variable {
  readonly bytes: Buffer;
  readonly relocations: readonly ElfRelocation[];
  readonly symbol: ElfSymbol;
}

/**
 * Reads the object file of a probe that was generated with the same arguments. Fails with LAYOUT when it is none, or when an argument is
 * not simply a number that is added to fields.
 */
export function readProbe(
  file: Uint8Array,
  layout: Layout,
  wellKnown: WellKnownStrings,
  isPositionIndependent: boolean,
): Result<ImageLayout> {
  const elf = readElf(file);
  if (elf === undefined)
    return fail('LAYOUT', 'the C compiler makes object files of an unknown format', {
      hint: 'images need 64-bit little-endian ELF',
    });
  try {
    return ok(layoutOf(createReader(elf), elf, layout, wellKnown, isPositionIndependent));
  } catch (error) {
    if (!(error instanceof UnexpectedProbe)) throw error;
    return fail('LAYOUT', `the headers of this CPython do not match its layout: ${error.message}`);
  }
}

class UnexpectedProbe extends Error {}

type Reader = (name: string) => Variable;

function createReader(elf: ElfFile): Reader {
  const symbols = elfSymbols(elf);
  const byName = new Map(symbols.filter(({section}) => section !== 0).map((symbol) => [symbol.name, symbol]));
  const relocations = elf.sections.map((_, i) => elfRelocations(elf, symbols, i));
  return (name) => {
    const symbol = byName.get(name);
    const section = elf.sections[symbol?.section ?? 0];
    if (symbol === undefined || section === undefined) throw new UnexpectedProbe(`it has no ${name}`);
    const {value, size} = symbol;
    const bytes = Buffer.alloc(size);
    bytes.set(section.bytes.subarray(value, value + size));
    const inside = (relocations[symbol.section] ?? []).filter(({at}) => at >= value && at < value + size);
    return {symbol, bytes, relocations: inside.map((each) => ({...each, at: each.at - value}))};
  };
}

function layoutOf(
  read: Reader,
  elf: ElfFile,
  layout: Layout,
  wellKnown: WellKnownStrings,
  isPositionIndependent: boolean,
): ImageLayout {
  const specs = templateSpecs(layout, isPositionIndependent);
  const sizes = read(PROBE.sizes).bytes;
  const templates = Object.entries<TemplateSpec>(specs).map(([name, spec], i) => [
    name,
    readTemplate(name, spec, read, (which) => numberAt(sizes, i * SIZES.length + SIZES.indexOf(which))),
  ]);
  const {bytes: numbers} = read(PROBE.numbers);
  const objects = read(PROBE.objects);
  const names = [...ownObjects(layout, wellKnown).keys()];
  return {
    machine: {
      machine: elf.machine,
      flags: elf.flags,
      abi: elf.abi,
      abiVersion: elf.abiVersion,
      absolute: objects.relocations[0]?.type ?? 0,
      distance: read(PROBE.distance).relocations[0]?.type ?? 0,
      notes: elf.sections
        .filter(({type, name}) => type === SHT_NOTE && name === PROPERTIES)
        .map(({name, align, bytes}) => ({name, align, bytes})),
    },
    templates: Object.fromEntries(templates) as Record<TemplateName, Template>,
    numbers: Object.fromEntries(
      NUMBERS.map((name, i) => [name, numberAt(numbers, i)]),
    ) as ImageLayout['numbers'],
    objects: new Map(names.map((name, i) => [name, wordAt(objects, 8 * i)])),
  };
}

function numberAt(bytes: Buffer, index: number): number {
  return Number(bytes.readBigUInt64LE(8 * index));
}

function wordAt({bytes, relocations}: Variable, at: number): Word {
  const relocation = relocations.find((each) => each.at === at);
  if (relocation === undefined) return {value: Number(bytes.readBigUInt64LE(at))};
  return {symbol: relocation.symbol.name, value: relocation.addend};
}

function readTemplate(
  name: string,
  {parameters}: TemplateSpec,
  read: Reader,
  sizeOf: (which: (typeof SIZES)[number]) => number,
): Template {
  const base = read(PROBE.template(name));
  const words = base.relocations.map(({at, symbol, addend}): TemplateWord => {
    const inside = insideOf(base, symbol, addend);
    return inside === undefined ? {at, symbol: symbol.name, value: addend} : {at, value: inside};
  });
  const fields = parameters.map((parameter) => {
    const changed = (marker: Marker): Buffer => read(PROBE.variant(name, parameter, marker)).bytes;
    return [parameter, fieldsOf(base.bytes, changed('low'), changed('all'), `${name}.${parameter}`)];
  });
  return {
    size: sizeOf('size'),
    align: sizeOf('align'),
    tail: sizeOf('tail'),
    object: sizeOf('object'),
    bytes: base.bytes,
    words,
    fields: Object.fromEntries(fields) as Template['fields'],
  };
}

/** The offset in the variable, if the address is one of its own. */
function insideOf({symbol: own, bytes}: Variable, symbol: ElfSymbol, addend: number): number | undefined {
  if (symbol.section !== own.section || symbol.section === 0) return undefined;
  const offset = symbol.value + addend - own.value;
  return offset >= 0 && offset < bytes.length ? offset : undefined;
}

/** Widths of fields in bytes, the largest first: half of a wide one looks like a narrow one. */
const WIDTHS = [8, 4, 2, 1];
/** The factors of arguments are smaller than this. */
const LARGEST_FACTOR = 128n;

/** Where an argument goes: each field, when the argument has the values of the markers, is larger by a factor times these. */
function fieldsOf(base: Buffer, low: Buffer, all: Buffer, what: string): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < base.length;) {
    if (base[at] === low[at] && base[at] === all[at]) {
      at++;
      continue;
    }
    const field = WIDTHS.map((width) => fieldAt(base, low, all, at, width)).find(
      (each) => each !== undefined,
    );
    if (field === undefined) throw new UnexpectedProbe(`${what} is not added to its fields`);
    fields.push(field);
    at += field.width;
  }
  return fields;
}

function fieldAt(base: Buffer, low: Buffer, all: Buffer, at: number, width: number): Field | undefined {
  if (at % width !== 0 || at + width > base.length) return undefined;
  const bits = 8 * width;
  const difference = (changed: Buffer): bigint =>
    BigInt.asUintN(bits, unsigned(changed, at, width) - unsigned(base, at, width));
  const factor = BigInt.asIntN(bits, difference(low));
  if (factor <= -LARGEST_FACTOR || factor >= LARGEST_FACTOR) return undefined;
  return difference(all) === BigInt.asUintN(bits, factor * BigInt(MARKERS.all))
    ? {at, width, factor: Number(factor)}
    : undefined;
}

function unsigned(bytes: Buffer, at: number, width: number): bigint {
  let value = 0n;
  for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return value;
}
