import type {ObjectFile, ObjectSection, Relocation} from './object-file.js';

/** Bytes of a line of text. */
const PER_LINE = 64;

/**
 * An object file as assembler text, for people: GNU as and clang make an object file of the same sections and relocations from it. Each
 * block begins with its label; words that are addresses are named by what they point to.
 */
export function assemblerText({sections, symbols}: ObjectFile): string {
  const lines = ['\t.section .note.GNU-stack,"",%progbits'];
  sections.forEach((section, i) => {
    lines.push(sectionLine(section), `\t.balign ${section.align}`);
    for (const {name, size} of symbols.filter((each) => each.section === i))
      lines.push(
        `\t.globl ${name}`,
        `\t.hidden ${name}`,
        `\t.type ${name}, %object`,
        `\t.size ${name}, ${size}`,
      );
    if (section.group !== undefined)
      lines.push(
        ...[`\t.weak ${section.group}`, `\t.hidden ${section.group}`, `\t.type ${section.group}, %object`],
        `\t.size ${section.group}, ${section.bytes.length}`,
      );
    const own = symbols.filter((each) => each.section === i);
    for (const line of contentOf(section, sections, own)) lines.push(line);
  });
  return `${lines.join('\n')}\n`;
}

function sectionLine({name, writable, group}: ObjectSection): string {
  const flags = `a${writable ? 'w' : ''}${group === undefined ? '' : 'G'}`;
  // Sections of one name and several groups are told apart by the group.
  return `\t.section ${name},"${flags}",%progbits${group === undefined ? '' : `,${group},comdat`}`;
}

function contentOf(
  section: ObjectSection,
  sections: readonly ObjectSection[],
  symbols: ObjectFile['symbols'],
): string[] {
  const lines: string[] = [];
  const labels = [
    ...symbols.map(({name, offset}) => ({name, at: offset})),
    ...(section.group === undefined
      ? section.labels.map(({name, at}) => ({name: localLabel(name), at}))
      : [{name: section.group, at: 0}]),
  ].sort((a, b) => a.at - b.at);
  const {relocations} = section;
  let [label, word, at] = [0, 0, 0];
  const end = section.bytes.length;
  while (at < end || label < labels.length) {
    for (; (labels[label]?.at ?? Infinity) <= at; label += 1) lines.push(`${labels[label]?.name ?? ''}:`);
    if (at >= end) break;
    const next = Math.min(end, relocations[word]?.at ?? end, labels[label]?.at ?? end);
    const reference = relocations[word];
    if (reference?.at === at) {
      word += 1;
      const name = placeName(reference, sections);
      const isDistance = reference.form === 'distance';
      lines.push(isDistance ? `\t.long ${name} - .` : `\t.quad ${name}`);
      at += isDistance ? 4 : 8;
      continue;
    }
    for (const line of bytesOf(section.bytes.subarray(at, next))) lines.push(line);
    at = next;
  }
  return lines;
}

/** A label that gets into no table of symbols. */
function localLabel(name: string): string {
  return `.L${name}`;
}

/** What a word points to: a symbol, or the last label before the place. */
function placeName({target, addend}: Relocation, sections: readonly ObjectSection[]): string {
  if (typeof target === 'string') return withOffset(target, addend);
  const label = labelBefore(sections[target]?.labels ?? [], addend);
  return withOffset(localLabel(label?.name ?? ''), addend - (label?.at ?? 0));
}

/** The last label that is not behind a place: labels are in the order of theirs. */
function labelBefore(
  labels: ObjectSection['labels'],
  place: number,
): ObjectSection['labels'][number] | undefined {
  let [low, high] = [0, labels.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((labels[middle]?.at ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return labels[low - 1];
}

function withOffset(name: string, offset: number): string {
  return offset === 0 ? name : `${name}+${offset}`;
}

/** Zeros as a count, words that look like numbers as such, the rest as text. */
function bytesOf(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length;) {
    let end = at;
    while (end < bytes.length && bytes[end] === 0) end++;
    if (end - at >= 8 || end === bytes.length) {
      if (end > at) lines.push(`\t.zero ${end - at}`);
      at = end;
      continue;
    }
    end = Math.min(bytes.length, at + PER_LINE);
    const zeros = Buffer.from(bytes.subarray(at, end)).indexOf(Buffer.alloc(8));
    if (zeros > 0) end = at + zeros;
    lines.push(`\t.ascii "${escaped(bytes.subarray(at, end))}"`);
    at = end;
  }
  return lines;
}

function escaped(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, '0')}`,
  ).join('');
}
