/** What the generators share: the program that grows, and chance. */
import type {Chance} from '../../support/random.js';
import type {Bytecode, DataFile, Encoding, FrozenModule, LinkFile} from '../program.js';

export type Profile = 'programs' | 'trees';

/** A module of the program, before it has statements. */
export interface Place {
  /** Dotted, as it is imported. */
  readonly name: string;
  readonly path: string;
  readonly isPackage: boolean;
}

export interface World {
  readonly chance: Chance;
  readonly profile: Profile;
  /** Directories of `sys.path`, in order. */
  readonly entries: readonly string[];
  readonly places: readonly Place[];
  /** Further names under which something may be found: links, namespace packages. */
  readonly aliases: readonly string[];
  readonly others: readonly (LinkFile | DataFile)[];
  readonly frozen: readonly FrozenModule[];
}

/** One of several things, of which those named first are no more likely. */
export function pick<T>(chance: Chance, things: readonly T[]): T {
  const thing = things[chance.below(things.length)];
  if (thing === undefined) throw new Error('nothing to pick from');
  return thing;
}

/** At least one and at most `most` things that `one` makes, each once. */
export function pickSome<T>(chance: Chance, most: number, one: () => T): ReadonlySet<T> {
  return new Set(Array.from({length: 1 + chance.below(most)}, one));
}

/** True once in `n`. */
export function oneIn(chance: Chance, n: number): boolean {
  return chance.below(n) === 0;
}

export const ODD_ENCODINGS: readonly Encoding[] = [
  ...(['utf-8-sig', 'latin-1', 'utf-16', 'cp1251', 'unknown', 'nul', 'crlf', 'cr'] as const),
];

export type Extras = {readonly encoding: Encoding; readonly bytecode: Bytecode};

/** A name as Python text in ASCII, in quotes. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Whether an import statement can name it. */
export function isSpoken(name: string): boolean {
  const reserved = /^(class|import|None|async|def|lambda)$/;
  return name.split('.').every((part) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(part) && !reserved.test(part));
}
