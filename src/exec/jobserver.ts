import {spawnSync} from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  readSync,
  writeSync,
} from 'node:fs';
import {join} from 'node:path';
import {temporaryPlace} from '../fs/temporary-place.js';
import {removeFlatDirectorySync} from '../fs/removal.js';
import type {JobserverAddress} from './make-flags.js';

/**
 * A pipe with the tokens of GNU make's jobserver: one byte for each additional job. A process that takes a byte
 * may run one more job, and returns the byte afterwards.
 */
export interface Jobserver {
  /** A token, or undefined when there is none at the moment. Never waits. */
  readonly take: () => number | undefined;
  readonly give: (token: number) => void;
  readonly invitation: Invitation;
  /** Closes our ends; the tokens in it stay. */
  readonly close: () => void;
}

/** What a child make needs to use this jobserver. */
export interface Invitation {
  /** For its environment. */
  readonly makeFlags: string;
  /** What it gets as descriptors 3 and 4: Node would keep from children what it has inherited itself. */
  readonly descriptors: readonly [number, number];
}

/** Every version of make understands descriptors; those before 4.4 nothing else. */
const MAKE_FLAGS = ' -j --jobserver-auth=3,4';
/** What make itself puts in. */
export const TOKEN = 0x2b;

/** Joins the jobserver of the make that started us; undefined when it cannot be reached. */
export function joinJobserver(address: JobserverAddress): Jobserver | undefined {
  try {
    if (address.kind === 'fifo') return openFifo(address.path);
    const {read, write} = address;
    if (!areInherited(read, write)) return undefined;
    // The read end is opened again, so that it can be non-blocking without changing the one that make shares with others.
    const ends = {
      read: openSync(`/proc/self/fd/${read}`, constants.O_RDONLY | constants.O_NONBLOCK),
      write,
    };
    return tokensIn(ends, [read, write], [ends.read]);
  } catch {
    return undefined;
  }
}

/** Makes a jobserver with so many tokens; undefined where there is no `mkfifo`, or no directory for temporary files. */
export function serveJobs(tokens: number): Jobserver | undefined {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(temporaryPlace(), 'flashfreeze-jobs-'));
    const path = join(folder, 'tokens');
    if (spawnSync('mkfifo', ['-m', '600', path], {stdio: 'ignore'}).status !== 0) return undefined;
    const server = openFifo(path);
    for (let token = 0; token < tokens; token += 1) server.give(TOKEN);
    return server;
  } catch {
    return undefined;
  } finally {
    // It is unlinked: open descriptors keep working, and no file remains however this process ends.
    if (folder !== undefined) removeFlatDirectorySync(folder);
  }
}

/** Opened for both directions, a fifo never reaches its end. Our own reads must not block; those of child makes may. */
function openFifo(path: string): Jobserver {
  const own = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  // A file would get our tokens, and a device may have any number of them.
  if (!fstatSync(own).isFIFO()) {
    closeSync(own);
    throw new Error(`${path} is not a FIFO`);
  }
  const guests = openSync(path, constants.O_RDWR);
  return tokensIn({read: own, write: own}, [guests, guests], [own, guests]);
}

/**
 * Without `+` before the recipe line MAKEFLAGS still names descriptors, which then are whatever Node opened under these
 * numbers: libuv has pipes of its own, with both ends. Those that were inherited are the parent's, too.
 */
function areInherited(read: number, write: number): boolean {
  if (read < 0 || write < 0 || !fstatSync(read).isFIFO()) return false;
  const nameOf = (of: number | string, descriptor: number): string =>
    readlinkSync(`/proc/${of}/fd/${descriptor}`);
  const pipe = nameOf('self', read);
  return pipe === nameOf('self', write) && pipe === nameOf(process.ppid, read);
}

function tokensIn(
  {read, write}: {readonly read: number; readonly write: number},
  descriptors: Invitation['descriptors'],
  ours: readonly number[],
): Jobserver {
  const byte = Buffer.alloc(1);
  return {
    take() {
      try {
        // One at a time: a stream would read ahead and take all tokens.
        return readSync(read, byte, 0, 1, null) === 1 ? byte[0] : undefined;
      } catch {
        // EAGAIN: all of them are in use. Anything else: there will be none any more.
        return undefined;
      }
    },
    give(token) {
      byte[0] = token;
      try {
        writeSync(write, byte);
      } catch {
        // EPIPE: its make has ended.
      }
    },
    invitation: {makeFlags: MAKE_FLAGS, descriptors},
    close() {
      for (const descriptor of ours) closeSync(descriptor);
    },
  };
}
