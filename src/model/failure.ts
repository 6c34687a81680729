/**
 * Failures are data. Every failure has a stable code (scripts match on it), a message, and, where one
 * helps, a hint that says what to do next.
 */

import {messageOf} from './errno.js';

/** Every failure code, with the exit code of a run that ends in it (docs/guide.md lists both). */
export const FAILURE_EXIT_CODES = {
  /** Wrong command-line usage. */
  USAGE: 2,
  /** A configuration file that cannot be read or does not fit its schema. */
  CONFIG: 2,
  /** `--source` is not a CPython source tree, or not one an out-of-tree build can use. */
  SOURCE_TREE: 2,
  /** A CPython version for which there is no layout. */
  PYTHON_VERSION: 2,
  /** A Python that cannot be used as a target. */
  PYTHON: 2,
  /** A requested module that does not exist. */
  NO_MODULE: 2,
  /** An output path that cannot be written. */
  OUTPUT: 2,
  /** No usable C compiler. */
  NO_COMPILER: 1,
  /** No usable make. */
  NO_MAKE: 1,
  /** A checkout whose compiled program is missing or older than its sources (checked in bin/flashfreeze.mjs and src/api/check-bundle.ts). */
  NOT_BUILT: 1,
  /** Another required tool is missing. */
  NO_TOOL: 1,
  /** A download that failed, or whose digest is wrong. */
  DOWNLOAD: 1,
  CONFIGURE: 1,
  STAGE1: 1,
  DISCOVER: 1,
  /** A traced program ended with an error, and `--strict-traces` was given. */
  TRACE: 1,
  /** A `.py` that does not compile. */
  COMPILE: 1,
  /** Bytes that are not in marshal format, or exceed the reader's limits. */
  MARSHAL: 1,
  /** Marshal bytes whose objects the generator cannot express. */
  GENERATE: 1,
  /** The C compiler failed to compile a generated file. */
  CC: 1,
  /** The target's headers do not match the layout file. */
  LAYOUT: 1,
  LINK: 1,
  /** The new interpreter does not start, or does not use its images. */
  SMOKE: 1,
  /** What imports leave behind cannot be kept in a snapshot, or two snapshots of the same imports differ. */
  SNAPSHOT: 1,
  /** An action broke its contract (did not write a declared output, …). */
  ACTION: 1,
  /** An internal error of flashfreeze. */
  BUG: 1,
  /** The cache cannot be used, and the command needs it. */
  CACHE: 1,
  /** No room, no permission, or another error of the file system. */
  IO: 1,
  /** A child process that could not be started, or ended unexpectedly. */
  PROCESS: 1,
  BENCH: 1,
  /** An image that differs from a fresh compile, or a build that is not reproducible. */
  VERIFY: 3,
  /** The build directory is in use. */
  LOCKED: 4,
  /** A dry run that cannot say what a build would do, only that it would do something. */
  DRY_RUN: 5,
  INTERRUPTED: 130,
} as const;

/** The exit code of a dry run if a build would do something. */
export const PENDING_EXIT_CODE: number = FAILURE_EXIT_CODES.DRY_RUN;

export type FailureCode = keyof typeof FAILURE_EXIT_CODES;

export interface Failure {
  readonly code: FailureCode;
  /** What is wrong, with the name of the thing. */
  readonly message: string;
  /** What the reader can do about it. */
  readonly hint?: string;
  /** The tool's own output, several lines, shown below the message. */
  readonly details?: string;
}

/** Makes a failure; `undefined` extras are left out. Nothing in it repeats the password of an address, wherever the text comes from. */
export function failure(
  code: FailureCode,
  message: string,
  extra: {readonly hint?: string | undefined; readonly details?: string | undefined} = {},
): Failure {
  return {
    code,
    message: withoutPasswords(message),
    ...(extra.hint === undefined ? {} : {hint: withoutPasswords(extra.hint)}),
    ...(extra.details === undefined ? {} : {details: withoutPasswords(extra.details)}),
  };
}

/** Expected errors are returned as failures, so an exception is a bug. */
export function bug(command: string, error: unknown): Failure {
  const details = error instanceof Error ? error.stack : undefined;
  return failure('BUG', `internal error in ${command}: ${messageOf(error)}`, {details});
}

/** With one slash, too, as in a path that was made of an address. */
const USER = /\b([a-z][a-z\d+.-]{0,20}:\/{1,2})(?:[^\s"'@:/]{0,500}:[^\s"']{0,500}|[^\s"'/@]{1,500})@/gi;

/** A text in which addresses have no user and no password. */
export function withoutPasswords(text: string): string {
  return text.includes('@') ? text.replaceAll(USER, '$1***@') : text;
}

/** The exit code of a run that ends in this failure. */
export function exitCodeOf(code: FailureCode): number {
  return FAILURE_EXIT_CODES[code];
}
