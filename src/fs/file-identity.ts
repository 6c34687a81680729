import {type BigIntStats, readdirSync, readSync, statSync} from 'node:fs';
import {hasSettled} from './path-state.js';
import {readRegularSync, withRegularSync} from './regular-file.js';

/*
 * The state of files as one number each, for stamps (src/runtime/sources/). What is read here describes files for the
 * interpreter and decides nothing about later builds, so it is not recorded.
 */

/** What a file's identity is made of. A file that will be copied has no inode and change time that matter. */
export interface IdentityParts {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly inode?: {readonly ino: bigint; readonly ctimeNs: bigint};
}

const MASK = (1n << 64n) - 1n;

function mix(hash: bigint, value: bigint): bigint {
  const product = ((hash ^ (value & MASK)) * 0x9e3779b97f4a7c15n) & MASK;
  return product ^ (product >> 32n);
}

/** One number for the state of a file, never 0: `ff_identity` in src/runtime/sources/file-state.c. */
export function identityOf({size, mtimeNs, inode}: IdentityParts): bigint {
  const short = mix(mix(0n, size), mtimeNs);
  const hash = inode === undefined ? short : mix(mix(short, inode.ino), inode.ctimeNs);
  return hash === 0n ? 1n : hash;
}

/** A file or directory as it is now. */
export interface CurrentState {
  readonly identity: bigint;
  /** Whether a later change would give it another identity. */
  readonly settled: boolean;
}

/** Undefined when there is nothing at the path, or `stat` fails. */
export function currentState(path: string): CurrentState | undefined {
  let stats: BigIntStats | undefined;
  try {
    stats = statSync(path, {bigint: true, throwIfNoEntry: false});
  } catch {
    return undefined;
  }
  if (stats === undefined) return undefined;
  const {size, mtimeNs, ino, ctimeNs} = stats;
  return {
    identity: identityOf({size, mtimeNs, inode: {ino, ctimeNs}}),
    settled: hasSettled(stats, Date.now()),
  };
}

/** The content of a file; undefined when it cannot be read. */
export function currentContent(path: string): Buffer | undefined {
  try {
    return readRegularSync(path);
  } catch {
    return undefined;
  }
}

/** The first bytes of a file; undefined when it cannot be read or is shorter. */
export function currentStart(path: string, length: number): Buffer | undefined {
  try {
    const bytes = Buffer.alloc(length);
    const read = withRegularSync(path, (file) => readSync(file, bytes, 0, length, 0));
    return read === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The names in a directory; undefined when it cannot be read. */
export function currentNames(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder);
  } catch {
    return undefined;
  }
}
