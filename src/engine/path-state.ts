import {statSync, type BigIntStats} from 'node:fs';

/** Names a state of a file without reading it: as long as the stamp is the same, so is the content. */
export type Stamp = string;

/** What a stamp says that others than us can see, too. */
export interface FileStamp {
  /** Bytes. */
  readonly size: bigint;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
}

export function readStamp(stamp: Stamp): FileStamp {
  const [, , size = '0', mtimeNs = '0'] = stamp.split(':');
  return {size: BigInt(size), mtimeNs: BigInt(mtimeNs)};
}

/** A look at a file. */
export interface Glance {
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
  // Nobody can set this time, so a fraction in it is the file system's.
  return now - changedMs > (ctimeNs % 1_000_000_000n === 0n ? COARSE_MS : FINE_MS);
}

const PERMISSIONS = 0o777n;

/** Looks at a regular file; undefined when there is none (a missing file, a folder) or it cannot be looked at. */
export function glance(path: string): Glance | undefined {
  let stats: BigIntStats | undefined;
  try {
    stats = statSync(path, {bigint: true, throwIfNoEntry: false});
  } catch {
    return undefined;
  }
  if (!stats?.isFile()) return undefined;
  const {dev, ino, size, mtimeNs, ctimeNs, mode} = stats;
  return {
    stamp: `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`,
    settled: hasSettled(stats, Date.now()),
    size: Number(size),
    mode: Number(mode & PERMISSIONS),
  };
}

/** Whether a file that was looked at may be executed by anybody. */
export function isExecutable(look: Glance): boolean {
  return (look.mode & 0o111) !== 0;
}
