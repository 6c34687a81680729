/** A part of a binary file: what a difference is named after. */
export interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const SHT_NOBITS = 8;

/** The sections of a 64-bit little-endian ELF file, in their order (elf(5)); undefined for anything else. */
export function elfSections(file: Uint8Array): readonly Part[] | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1)
    return undefined;
  const [table, size, count, names] = [
    Number(bytes.readBigUInt64LE(0x28)),
    bytes.readUInt16LE(0x3a),
    bytes.readUInt16LE(0x3c),
    bytes.readUInt16LE(0x3e),
  ];
  if (size < 64 || table + size * count > bytes.length || names >= count) return undefined;
  const headers = Array.from({length: count}, (_, i) => {
    const at = table + size * i;
    return {
      name: bytes.readUInt32LE(at),
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 0x18)),
      length: Number(bytes.readBigUInt64LE(at + 0x20)),
    };
  });
  const strings = headers[names];
  return headers.map(({name, type, offset, length}) => {
    const start = (strings?.offset ?? 0) + name;
    const end = bytes.indexOf(0, start);
    return {
      name: bytes.subarray(start, end < 0 ? start : end).toString('latin1'),
      bytes: type === SHT_NOBITS ? new Uint8Array() : bytes.subarray(offset, offset + length),
    };
  });
}

const AR_MAGIC = '!<arch>\n';
const AR_HEADER = 60;

/** The members of a static archive in the format of GNU ar, in their order; undefined for anything else. */
export function archiveMembers(file: Uint8Array): readonly Part[] | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (bytes.subarray(0, AR_MAGIC.length).toString('latin1') !== AR_MAGIC) return undefined;
  const members: Part[] = [];
  let longNames = '';
  for (let at = AR_MAGIC.length; at + AR_HEADER <= bytes.length;) {
    const header = bytes.subarray(at, at + AR_HEADER).toString('latin1');
    const size = parseInt(header.slice(48, 58), 10);
    const raw = header.slice(0, 16).trimEnd();
    if (!Number.isInteger(size)) return undefined;
    const content = bytes.subarray(at + AR_HEADER, at + AR_HEADER + size);
    const long = /^\/(\d+)$/.exec(raw)?.[1];
    if (raw === '//') longNames = content.toString('latin1');
    else {
      const name = long === undefined ? raw : (longNames.slice(Number(long)).split('\n', 1)[0] ?? raw);
      members.push({name: raw === '/' ? 'its symbol table' : name.replace(/\/$/, ''), bytes: content});
    }
    at += AR_HEADER + size + (size % 2);
  }
  return members;
}
