const HEADER = 64;
const SECTION_HEADER = 64;
const SYMBOL = 24;
const RELOCATION = 24;
const SHT_RELA = 4;
const SHT_NOBITS = 8;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const STT_SECTION = 3;
const STB_WEAK = 2;

/** A section of an ELF file. */
export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly align: number;
  /** Where it lies in memory; 0 in a relocatable file. */
  readonly address: number;
  /** Where its content lies in the file. */
  readonly offset: number;
  /** Empty for one that has no content in the file (`SHT_NOBITS`). */
  readonly bytes: Uint8Array;
  /** sh_link and sh_info. */
  readonly link: number;
  readonly info: number;
}

/** A defined or undefined symbol; a section's has the section's name. */
export interface ElfSymbol {
  readonly name: string;
  /** The index of its section; 0 if it is undefined. */
  readonly section: number;
  readonly value: number;
  readonly size: number;
  /** `STT_…` */
  readonly kind: number;
  readonly isWeak: boolean;
  /** Where its entry lies in the bytes that the file was read from. */
  readonly offset: number;
}

export interface ElfRelocation {
  readonly at: number;
  readonly type: number;
  readonly symbol: ElfSymbol;
  readonly addend: number;
  /** Where its entry lies in the bytes that the file was read from. */
  readonly offset: number;
}

export interface ElfFile {
  readonly machine: number;
  readonly flags: number;
  readonly abi: number;
  readonly abiVersion: number;
  readonly sections: readonly ElfSection[];
}

/** Reads a 64-bit little-endian ELF file (elf(5)); undefined for anything else. */
export function readElf(file: Uint8Array): ElfFile | undefined {
  const bytes = bufferOf(file);
  if (bytes.length < HEADER || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1)
    return undefined;
  const [table, size, count, names] = [
    Number(bytes.readBigUInt64LE(0x28)),
    bytes.readUInt16LE(0x3a),
    bytes.readUInt16LE(0x3c),
    bytes.readUInt16LE(0x3e),
  ];
  if (size < SECTION_HEADER || table + size * count > bytes.length || names >= count) return undefined;
  const headers = Array.from({length: count}, (_, i) => {
    const at = table + size * i;
    return {
      name: bytes.readUInt32LE(at),
      type: bytes.readUInt32LE(at + 4),
      address: Number(bytes.readBigUInt64LE(at + 0x10)),
      offset: Number(bytes.readBigUInt64LE(at + 0x18)),
      length: Number(bytes.readBigUInt64LE(at + 0x20)),
      link: bytes.readUInt32LE(at + 0x28),
      info: bytes.readUInt32LE(at + 0x2c),
      align: Number(bytes.readBigUInt64LE(at + 0x30)),
    };
  });
  const strings = headers[names];
  return {
    machine: bytes.readUInt16LE(0x12),
    flags: bytes.readUInt32LE(0x30),
    abi: bytes[7] ?? 0,
    abiVersion: bytes[8] ?? 0,
    sections: headers.map(({name, type, address, offset, length, link, info, align}) => ({
      name: textAt(bytes, (strings?.offset ?? 0) + name),
      type,
      align,
      address,
      link,
      info,
      offset,
      bytes: type === SHT_NOBITS ? new Uint8Array() : bytes.subarray(offset, offset + length),
    })),
  };
}

/**
 * The symbols of a file, in their order; none if there is no symbol table. What an executable or library exports, and wants from
 * others, is in its dynamic one.
 */
export function elfSymbols({sections}: ElfFile, which: 'all' | 'dynamic' = 'all'): readonly ElfSymbol[] {
  const table = sections.find(({type}) => type === (which === 'all' ? SHT_SYMTAB : SHT_DYNSYM));
  const strings = bufferOf(sections[table?.link ?? 0]?.bytes ?? new Uint8Array());
  if (table === undefined) return [];
  const bytes = bufferOf(table.bytes);
  return Array.from({length: Math.floor(bytes.length / SYMBOL)}, (_, i) => {
    const at = i * SYMBOL;
    const section = bytes.readUInt16LE(at + 6);
    const info = bytes[at + 4] ?? 0;
    const kind = info & 0xf;
    return {
      kind,
      isWeak: info >> 4 === STB_WEAK,
      name: kind === STT_SECTION ? (sections[section]?.name ?? '') : textAt(strings, bytes.readUInt32LE(at)),
      section,
      value: Number(bytes.readBigUInt64LE(at + 8)),
      size: Number(bytes.readBigUInt64LE(at + 16)),
      offset: table.offset + at,
    };
  });
}

/** The relocations of a section, by its index. */
export function elfRelocations(
  {sections}: ElfFile,
  symbols: readonly ElfSymbol[],
  section: number,
): readonly ElfRelocation[] {
  return sections
    .filter(({type, info}) => type === SHT_RELA && info === section)
    .flatMap((table) => relocationsIn(table, symbols));
}

/**
 * What the dynamic linker fills in, by its place in memory.
 * @param symbols the dynamic ones
 */
export function dynamicRelocations(
  {sections}: ElfFile,
  symbols: readonly ElfSymbol[],
): readonly ElfRelocation[] {
  return sections
    .filter(({type, link}) => type === SHT_RELA && sections[link]?.type === SHT_DYNSYM)
    .flatMap((table) => relocationsIn(table, symbols));
}

const NO_SYMBOL: ElfSymbol = {name: '', section: 0, value: 0, size: 0, kind: 0, isWeak: false, offset: 0};

function relocationsIn(table: ElfSection, symbols: readonly ElfSymbol[]): ElfRelocation[] {
  const bytes = bufferOf(table.bytes);
  return Array.from({length: Math.floor(bytes.length / RELOCATION)}, (_, i) => {
    const at = i * RELOCATION;
    return {
      at: Number(bytes.readBigUInt64LE(at)),
      type: bytes.readUInt32LE(at + 8),
      symbol: symbols[bytes.readUInt32LE(at + 12)] ?? NO_SYMBOL,
      addend: Number(bytes.readBigInt64LE(at + 16)),
      offset: table.offset + at,
    };
  });
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function textAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.subarray(start, end < 0 ? start : end).toString('latin1');
}
