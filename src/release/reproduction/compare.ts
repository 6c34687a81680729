import {readElf} from '../../codegen/object-file/read-elf.js';
import {archiveMembers, type Part} from './archive-members.js';
import type {TarEntry} from '../archive/tar.js';

/** A file that is not the same in two releases. */
export interface Difference {
  readonly path: string;
  /** Where in it, and how. */
  readonly what: string;
}

/** What differs between two installations, file by file, in the order of their paths. */
export function compareEntries(first: Iterable<TarEntry>, second: Iterable<TarEntry>): readonly Difference[] {
  const [left, right] = [byPath(first), byPath(second)];
  return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((path) => {
    const what = compareEntry(left.get(path), right.get(path));
    return what === undefined ? [] : [{path, what}];
  });
}

function byPath(entries: Iterable<TarEntry>): ReadonlyMap<string, TarEntry> {
  return new Map([...entries].map((entry) => [entry.path, entry]));
}

function compareEntry(a: TarEntry | undefined, b: TarEntry | undefined): string | undefined {
  if (a === undefined || b === undefined) return `only in the ${a === undefined ? 'second' : 'first'}`;
  if ('link' in a.content || 'link' in b.content) {
    const [from, to] = [a, b].map(({content}) =>
      'link' in content ? `a link to ${content.link}` : 'a file',
    );
    return from === to ? undefined : `${from ?? ''} became ${to ?? ''}`;
  }
  if (!same(a.content, b.content)) return explainBytes(a.content, b.content);
  return a.mode === b.mode ? undefined : `mode ${a.mode.toString(8)} became ${b.mode.toString(8)}`;
}

/**
 * Where two files differ: the members of a static archive and the sections of ELF files, the first line of a text, or the
 * first byte. To be called with files that do.
 */
export function explainBytes(a: Uint8Array, b: Uint8Array): string {
  const members = compareParts(archiveMembers(a), archiveMembers(b), 'member');
  if (members !== undefined) return members;
  const sections = compareParts(readElf(a)?.sections, readElf(b)?.sections, 'section');
  if (sections !== undefined) return sections;
  const at = firstDifference(a, b);
  if (isText(a) && isText(b)) {
    const [from, to] = [linesOf(a), linesOf(b)];
    const count = Math.max(from.length, to.length);
    for (let i = 0; i < count; i++) {
      if (from[i] !== to[i]) return `line ${i + 1}: ${quoted(from[i])} became ${quoted(to[i])}`;
    }
  }
  return a.length === b.length ? `byte ${at}` : `byte ${at}; ${a.length} bytes became ${b.length}`;
}

const SHOWN = 8;

function compareParts(
  a: readonly Part[] | undefined,
  b: readonly Part[] | undefined,
  kind: string,
): string | undefined {
  if (a === undefined || b === undefined) return undefined;
  const [left, right] = [numbered(a), numbered(b)];
  const found = [...new Set([...left.keys(), ...right.keys()])].flatMap((name) => {
    const [x, y] = [left.get(name), right.get(name)];
    if (x === undefined || y === undefined)
      return [`${name} (only in the ${x === undefined ? 'second' : 'first'})`];
    if (same(x, y)) return [];
    const inside = compareParts(readElf(x)?.sections, readElf(y)?.sections, 'section') ?? firstText(x, y);
    return [inside === '' ? name : `${name} (${inside})`];
  });
  if (found.length === 0) return `the order or place of its ${kind}s`;
  const more = found.length > SHOWN ? ` and ${found.length - SHOWN} more` : '';
  return `${kind} ${found.slice(0, SHOWN).join(', ')}${more}`;
}

/** Parts may share a name: those of a static archive do, and sections of groups. */
function numbered(parts: readonly Part[]): ReadonlyMap<string, Uint8Array> {
  const seen = new Map<string, number>();
  return new Map(
    parts.map(({name, bytes}) => {
      const number = (seen.get(name) ?? 0) + 1;
      seen.set(name, number);
      return [number === 1 ? name : `${name}#${number}`, bytes];
    }),
  );
}

/** The text around the first differing byte, if there is any: a date, a path, a flag. */
function firstText(a: Uint8Array, b: Uint8Array): string {
  const at = firstDifference(a, b);
  const [x, y] = [a, b].map((bytes) => wordAt(bytes, at));
  return x !== undefined && y !== undefined && x !== y ? `${x} became ${y}` : '';
}

/** The run of printable characters around a place, if it is one of at least 4. */
function wordAt(bytes: Uint8Array, at: number): string | undefined {
  const isPrintable = (i: number): boolean => (bytes[i] ?? 0) >= 32 && (bytes[i] ?? 0) < 127;
  let start = at;
  while (start > 0 && at - start < 40 && isPrintable(start - 1)) start--;
  let end = at;
  while (end < bytes.length && end - at < 40 && isPrintable(end)) end++;
  return end - start < 4
    ? undefined
    : JSON.stringify(Buffer.from(bytes.subarray(start, end)).toString('latin1'));
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes).toString('utf8').split('\n');
}

function quoted(line: string | undefined): string {
  return line === undefined ? 'nothing' : JSON.stringify(line.slice(0, 160));
}

function isText(bytes: Uint8Array): boolean {
  return !bytes.subarray(0, 8192).includes(0);
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return i;
  return end;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
