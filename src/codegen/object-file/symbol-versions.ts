import type {ElfFile} from './read-elf.js';

const SHT_GNU_VERNEED = 0x6ffffffe;
const SHT_GNU_VERSYM = 0x6fffffff;
/** A version's number without the bit that hides it. */
const NUMBER = 0x7fff;

/**
 * The versions of the libraries' symbols that an executable wants, such as GLIBC_2.34, by the index of its dynamic symbol: undefined for those
 * that have none.
 */
export function neededVersions({sections}: ElfFile): readonly (string | undefined)[] {
  const needed = sections.find(({type}) => type === SHT_GNU_VERNEED);
  const numbers = sections.find(({type}) => type === SHT_GNU_VERSYM);
  if (needed === undefined || numbers === undefined) return [];
  const names = new Map<number, string>();
  const [table, strings] = [viewOf(needed.bytes), viewOf(sections[needed.link]?.bytes ?? new Uint8Array())];
  for (let at = 0, more = needed.info; more > 0; more--) {
    let entry = at + table.readUInt32LE(at + 8);
    for (let count = table.readUInt16LE(at + 2); count > 0; count--) {
      const name = table.readUInt32LE(entry + 8);
      names.set(table.readUInt16LE(entry + 6), strings.toString('latin1', name, strings.indexOf(0, name)));
      entry += table.readUInt32LE(entry + 12);
    }
    at += table.readUInt32LE(at + 12);
  }
  const each = viewOf(numbers.bytes);
  return Array.from({length: Math.floor(each.length / 2)}, (_, i) =>
    names.get(each.readUInt16LE(2 * i) & NUMBER),
  );
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
