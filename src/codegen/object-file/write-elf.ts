import {roundUp} from './alignment.js';
import {NameTable} from './name-table.js';
import type {Machine, ObjectFile, ObjectSection} from './object-file.js';

/** Sizes of the file's header, a section's header, a symbol and a relocation (elf(5), 64 bits). */
const HEADER = 64;
const SECTION_HEADER = 64;
const SYMBOL = 24;
const RELOCATION = 24;

const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_RELA = 4;
const SHT_NOTE = 7;
const SHT_GROUP = 17;
const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const SHF_INFO_LINK = 0x40;
const SHF_GROUP = 0x200;
const GRP_COMDAT = 1;
const STB_GLOBAL = 1;
const STB_WEAK = 2;
const STT_OBJECT = 1;
const STT_SECTION = 3;
const STV_HIDDEN = 2;
const ET_REL = 1;

/** A section as it gets into the file. */
interface Row {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly content: Uint8Array;
  readonly link?: number;
  readonly info?: number;
  readonly align: number;
  readonly entry?: number;
}

/**
 * An object file of ELF for a machine, as its assembler makes it: the groups, each section with its relocations, notes, and the table
 * of symbols. The same input gives the same bytes.
 */
export function writeElf(file: ObjectFile, machine: Machine): Uint8Array {
  const {sections} = file;
  const grouped = sections.filter(({group}) => group !== undefined).length;
  // Sections are counted from 1; each with relocations is followed by their table.
  let next = 1 + grouped;
  const numbers = sections.map((section) => {
    const number = next;
    next += section.relocations.length > 0 ? 2 : 1;
    return number;
  });
  const symbolTable = next + machine.notes.length + 1;
  const symbols = tableOfSymbols(file, numbers);

  const groups: Row[] = [];
  const rows: Row[] = [];
  sections.forEach((section, i) => {
    const number = numbers[i] ?? 0;
    const {group, relocations} = section;
    const inGroup = group === undefined ? 0 : SHF_GROUP;
    rows.push({
      ...{name: section.name, type: SHT_PROGBITS, content: section.bytes, align: section.align},
      flags: SHF_ALLOC | (section.writable ? SHF_WRITE : 0) | inGroup,
    });
    if (relocations.length > 0) {
      rows.push({
        ...{name: `.rela${section.name}`, type: SHT_RELA, flags: SHF_INFO_LINK | inGroup, align: 8},
        content: tableOfRelocations(section, symbols.numberOf, machine),
        ...{link: symbolTable, info: number, entry: RELOCATION},
      });
    }
    if (group !== undefined) {
      groups.push({
        ...{name: '.group', type: SHT_GROUP, flags: 0, align: 4, entry: 4},
        content: words([GRP_COMDAT, number, ...(relocations.length > 0 ? [number + 1] : [])]),
        ...{link: symbolTable, info: symbols.numberOf(group)},
      });
    }
  });
  for (const {name, align, bytes} of machine.notes)
    rows.push({name, type: SHT_NOTE, flags: SHF_ALLOC, content: bytes, align});
  return assemble(machine, [
    ...groups,
    ...rows,
    // Without it, the linker takes the stack for one that code may lie in.
    {name: '.note.GNU-stack', type: SHT_PROGBITS, flags: 0, content: new Uint8Array(), align: 1},
    {
      ...{name: '.symtab', type: SHT_SYMTAB, flags: 0, content: symbols.table, align: 8, entry: SYMBOL},
      ...{link: symbolTable + 1, info: symbols.firstGlobal},
    },
    {name: '.strtab', type: SHT_STRTAB, flags: 0, content: symbols.names, align: 1},
  ]);
}

interface SymbolTable {
  readonly table: Uint8Array;
  readonly names: Uint8Array;
  readonly firstGlobal: number;
  /** The number of a symbol by its name, or of the one that stands for a section. */
  readonly numberOf: (target: string | number) => number;
}

/** One symbol for each section, which comes first, then the defined ones, those of groups and the undefined ones. */
function tableOfSymbols({sections, symbols}: ObjectFile, numbers: readonly number[]): SymbolTable {
  const names = new NameTable();
  const known = new Map<string, number>();
  const others = new Set<string>();
  for (const {relocations} of sections)
    for (const {target} of relocations) if (typeof target === 'string') others.add(target);
  // Room for all that there can be; the first entry is empty.
  const table = Buffer.alloc(SYMBOL * (1 + numbers.length + symbols.length + sections.length + others.size));
  let count = 1;
  const entry = (name: string, kind: number, hidden: boolean, section: number, value = 0, size = 0): void => {
    const at = SYMBOL * count;
    table.writeUInt32LE(name === '' ? 0 : names.add(name), at);
    table[at + 4] = kind;
    table[at + 5] = hidden ? STV_HIDDEN : 0;
    table.writeUInt16LE(section, at + 6);
    writeUInt64(table, value, at + 8);
    writeUInt64(table, size, at + 16);
    if (name !== '') known.set(name, count);
    count += 1;
  };
  for (const number of numbers) entry('', STT_SECTION, false, number);
  const firstGlobal = count;
  for (const {name, section, offset, size} of symbols)
    entry(name, (STB_GLOBAL << 4) | STT_OBJECT, true, numbers[section] ?? 0, offset, size);
  sections.forEach(({group, bytes}, i) => {
    if (group !== undefined)
      entry(group, (STB_WEAK << 4) | STT_OBJECT, true, numbers[i] ?? 0, 0, bytes.length);
  });
  for (const name of others) if (!known.has(name)) entry(name, STB_GLOBAL << 4, false, 0);
  return {
    table: table.subarray(0, SYMBOL * count),
    names: names.bytes(),
    firstGlobal,
    numberOf: (target) => (typeof target === 'string' ? (known.get(target) ?? 0) : target + 1),
  };
}

function tableOfRelocations(
  {relocations}: ObjectSection,
  numberOf: SymbolTable['numberOf'],
  {absolute, distance}: Machine,
): Uint8Array {
  const table = Buffer.alloc(relocations.length * RELOCATION);
  relocations.forEach(({at, target, addend, form}, i) => {
    const start = i * RELOCATION;
    writeUInt64(table, at, start);
    table.writeUInt32LE(form === 'distance' ? distance : absolute, start + 8);
    table.writeUInt32LE(numberOf(target), start + 12);
    writeUInt64(table, addend, start + 16);
  });
  return table;
}

/** Lays the sections out behind the file's header, and their headers behind them. */
function assemble(machine: Machine, sections: readonly Row[]): Uint8Array {
  const names = new NameTable();
  const nameOffsets = [...sections.map(({name}) => names.add(name)), names.add('.shstrtab')];
  const rows: readonly Row[] = [
    ...sections,
    {name: '.shstrtab', type: SHT_STRTAB, flags: 0, content: names.bytes(), align: 1},
  ];
  let end = HEADER;
  const places = rows.map(({align, content}) => {
    const place = roundUp(end, align);
    end = place + content.length;
    return place;
  });
  const headers = roundUp(end, 8);
  const file = Buffer.alloc(headers + SECTION_HEADER * (rows.length + 1));
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, machine.abi, machine.abiVersion]);
  file.writeUInt16LE(ET_REL, 0x10);
  file.writeUInt16LE(machine.machine, 0x12);
  file.writeUInt32LE(1, 0x14);
  writeUInt64(file, headers, 0x28);
  file.writeUInt32LE(machine.flags, 0x30);
  file.writeUInt16LE(HEADER, 0x34);
  file.writeUInt16LE(SECTION_HEADER, 0x3a);
  file.writeUInt16LE(rows.length + 1, 0x3c);
  file.writeUInt16LE(rows.length, 0x3e);
  rows.forEach(({type, flags, content, link = 0, info = 0, align, entry = 0}, i) => {
    const place = places[i] ?? 0;
    file.set(content, place);
    const at = headers + SECTION_HEADER * (i + 1);
    file.writeUInt32LE(nameOffsets[i] ?? 0, at);
    file.writeUInt32LE(type, at + 4);
    writeUInt64(file, flags, at + 8);
    writeUInt64(file, place, at + 0x18);
    writeUInt64(file, content.length, at + 0x20);
    file.writeUInt32LE(link, at + 0x28);
    file.writeUInt32LE(info, at + 0x2c);
    writeUInt64(file, align, at + 0x30);
    writeUInt64(file, entry, at + 0x38);
  });
  return file;
}

function words(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32LE(value, 4 * i));
  return bytes;
}

/** A whole number, also a negative one, of less than 2**53 in eight bytes: without the price of a bigint. */
function writeUInt64(bytes: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  bytes.writeUInt32LE(value >>> 0, at);
  bytes.writeInt32LE(high, at + 4);
}
