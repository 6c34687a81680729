import {type BigIntStats, lstatSync, readdirSync, readlinkSync, realpathSync, statSync} from 'node:fs';
import {digestOf, type Digest} from '../model/digest.js';
import {readRegularSync} from './regular-file.js';

/** Identifies the state of a file without reading it: an equal stamp means equal content. */
export type Stamp = string;

/** The parts of a stamp that mean something to other programs. */
export interface FileStamp {
  /** Bytes. */
  readonly size: bigint;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  readonly inode: {readonly ino: bigint; readonly ctimeNs: bigint};
}

export function readStamp(stamp: Stamp): FileStamp {
  const [, ino = 0n, size = 0n, mtimeNs = 0n, ctimeNs = 0n] = stamp.split(':').map(BigInt);
  return {size, mtimeNs, inode: {ino, ctimeNs}};
}

/** The `stat` result of a regular file. */
export interface FileState {
  readonly stamp: Stamp;
  /**
   * Whether the stamp may be relied on later. A file that changed moments ago can change again within the resolution of
   * its times and keep its stamp, so a fresh stamp is not worth keeping.
   */
  readonly settled: boolean;
  /** In bytes. */
  readonly size: number;
  /** The permission bits. */
  readonly mode: number;
}

/** The coarsest times of file systems in use have a resolution of two seconds (FAT). */
const COARSE_MS = 2000;
/** Those with fractions of a second follow the kernel's clock, which ticks a hundred times a second or more. */
const FINE_MS = 100;

/** Whether a file with these times would get other ones if it changed now (milliseconds since the epoch), or later. */
export function hasSettled(
  stats: Pick<BigIntStats, 'mtimeMs' | 'ctimeMs' | 'ctimeNs'>,
  now: number,
): boolean {
  const {mtimeMs, ctimeMs, ctimeNs} = stats;
  const changedMs = Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs);
  // No program can set this time, so a fraction in it comes from the file system.
  return now - changedMs > (ctimeNs % 1_000_000_000n === 0n ? COARSE_MS : FINE_MS);
}

const PERMISSIONS = 0o777n;

/** The state of a regular file; undefined when there is none (a missing file, a directory) or `stat` fails. */
export function statFile(path: string): FileState | undefined {
  const stats = statOrNothing(path);
  if (!stats?.isFile()) return undefined;
  return {
    stamp: stampOf(stats),
    settled: hasSettled(stats, Date.now()),
    size: Number(stats.size),
    mode: Number(stats.mode & PERMISSIONS),
  };
}

/** Whether a file in this state is executable. */
export function isExecutable(state: FileState): boolean {
  return (state.mode & 0o111) !== 0;
}

/** The aspects of a path: its file, the entries of a directory, the target of a link, the real path. */
export type PathAspect = 'file' | 'entries' | 'link' | 'realpath';

/** The state of a path in one aspect. Equal states mean that nothing changed, as far as `settled` goes. */
export interface PathState {
  readonly state: string;
  /** Whether the same state will mean the same content later. See `FileState`. */
  readonly settled: boolean;
}

/** The state of a missing path. */
export const ABSENT = '-';

const NOTHING: PathState = {state: ABSENT, settled: true};

/** Identifies the state of a path without reading its content. */
export function statPath(path: string, aspect: PathAspect): PathState {
  if (aspect === 'link') return statLink(path);
  if (aspect === 'realpath') return textState(() => realpathSync(path));
  const stats = statOrNothing(path);
  if (stats === undefined) return NOTHING;
  // Only files and the entries of directories are read.
  if (!stats.isFile() && aspect === 'file') return {state: `${kindOf(stats)}:${idOf(stats)}`, settled: true};
  return {state: stampOf(stats), settled: hasSettled(stats, Date.now())};
}

/** By `lstat` and `readlink`: a link is identified by its target. */
function statLink(path: string): PathState {
  try {
    const stats = lstatSync(path, {bigint: true, throwIfNoEntry: false});
    if (stats === undefined) return NOTHING;
    if (stats.isSymbolicLink()) return {state: `link to ${readlinkSync(path)}`, settled: true};
    return {state: `${kindOf(stats)}:${idOf(stats)}`, settled: true};
  } catch {
    return NOTHING;
  }
}

function textState(read: () => string): PathState {
  try {
    return {state: read(), settled: true};
  } catch {
    return NOTHING;
  }
}

/**
 * The sha256 of what was read of a path: of a file's bytes, or of the names and kinds of a directory's entries. Undefined
 * when it cannot be read, and for aspects whose state is complete.
 */
export function contentOf(path: string, aspect: PathAspect): Digest | undefined {
  try {
    if (aspect === 'file') return digestOf(readRegularSync(path));
    if (aspect !== 'entries') return undefined;
    const entries = readdirSync(path, {withFileTypes: true});
    return entriesDigest(entries);
  } catch {
    return undefined;
  }
}

/** The sha256 of the names and kinds of a directory's entries, independent of their order. */
export function entriesDigest(
  entries: readonly {readonly name: string; readonly isDirectory: () => boolean}[],
): Digest {
  const names = entries.map((entry) => `${entry.isDirectory() ? 'd' : 'f'} ${entry.name}`);
  return digestOf(names.sort().join('\0'));
}

function stampOf({dev, ino, size, mtimeNs, ctimeNs}: BigIntStats): Stamp {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

function idOf({dev, ino, mode}: BigIntStats): string {
  return `${dev}:${ino}:${mode}`;
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFile()) return 'file';
  return stats.isDirectory() ? 'directory' : 'other';
}

/** What a path leads to; undefined if the system does not say. */
export function statOrNothing(path: string): BigIntStats | undefined {
  try {
    return statSync(path, {bigint: true, throwIfNoEntry: false});
  } catch {
    return undefined;
  }
}
