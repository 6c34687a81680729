import type {BigIntStats, Dirent, Stats} from 'node:fs';
import fs from 'node:fs';
import promises from 'node:fs/promises';
import {join} from 'node:path';
import {digestOf} from '../model/digest.js';
import {contentOf, entriesDigest, statFile, statOrNothing, statPath} from './path-state.js';
import {readRegular, readRegularSync} from './regular-file.js';
import {currentRecording, recordPath} from './recording.js';

/*
 * The functions of Node by which a build reads, under their own names, for what it reads outside of actions. Each records the
 * path before it reads (recording.ts). ESLint rejects Node's own functions in the directories that build, so that every read is recorded.
 */

/** Records a file that is read in another way. */
export function recordFile(path: string): void {
  const state = recordPath(path, 'file');
  if (state?.settled === false) currentRecording()?.addRead(path, 'file', state, contentOf(path, 'file'));
}

/** Records what was just written at a path outside of actions. */
export function recordWritten(path: string, aspect: 'file' | 'link' = 'file'): void {
  const recording = currentRecording();
  if (recording === undefined) return;
  const state = statPath(path, aspect);
  recording.addWritten(path, aspect, state, state.settled ? undefined : contentOf(path, aspect));
}

/** Whether there is a regular file at a path. */
export function isFileSync(path: string): boolean {
  recordPath(path, 'file');
  return statFile(path) !== undefined;
}

/** Whether a path exists. */
export function existsSync(path: string): boolean {
  recordPath(path, 'file');
  return fs.existsSync(path);
}

export function readFileSync(path: string): Buffer;
export function readFileSync(path: string, encoding: 'utf8'): string;
export function readFileSync(path: string, encoding?: 'utf8'): string | Buffer {
  const state = recordPath(path, 'file');
  const bytes = readRegularSync(path);
  if (state?.settled === false) currentRecording()?.addRead(path, 'file', state, digestOf(bytes));
  return encoding === undefined ? bytes : bytes.toString(encoding);
}

export async function readFile(path: string): Promise<Buffer>;
export async function readFile(path: string, encoding: 'utf8'): Promise<string>;
export async function readFile(path: string, encoding?: 'utf8'): Promise<string | Buffer> {
  const state = recordPath(path, 'file');
  const bytes = await readRegular(path);
  if (state?.settled === false) currentRecording()?.addRead(path, 'file', state, digestOf(bytes));
  return encoding === undefined ? bytes : bytes.toString(encoding);
}

/** The names in a directory. */
export async function readdir(path: string): Promise<string[]> {
  return (await readEntries(path)).map(({name}) => name);
}

/** The same with their kinds. */
export async function readEntries(path: string): Promise<Dirent[]> {
  const state = recordPath(path, 'entries');
  const entries = await promises.readdir(path, {withFileTypes: true});
  if (state?.settled === false) currentRecording()?.addRead(path, 'entries', state, entriesDigest(entries));
  return entries;
}

/** Everything below a directory except directories: paths relative to it, each with its kind. */
export async function readTree(path: string, below = ''): Promise<[path: string, entry: Dirent][]> {
  const entries = await readEntries(join(path, below));
  const parts = await Promise.all(
    entries.map(async (entry): Promise<[string, Dirent][]> => {
      const name = join(below, entry.name);
      return entry.isDirectory() ? readTree(path, name) : [[name, entry]];
    }),
  );
  return parts.flat();
}

export function readdirSync(path: string): string[] {
  const state = recordPath(path, 'entries');
  const entries = fs.readdirSync(path, {withFileTypes: true});
  if (state?.settled === false) currentRecording()?.addRead(path, 'entries', state, entriesDigest(entries));
  return entries.map(({name}) => name);
}

export function stat(path: string): Promise<Stats> {
  recordPath(path, 'file');
  return promises.stat(path);
}

export function access(path: string, mode?: number): Promise<void> {
  recordPath(path, 'file');
  return promises.access(path, mode);
}

export function lstat(path: string): Promise<Stats> {
  recordPath(path, 'link');
  return promises.lstat(path);
}

export function readlink(path: string): Promise<string> {
  recordPath(path, 'link');
  return promises.readlink(path);
}

export function realpath(path: string): Promise<string> {
  recordPath(path, 'realpath');
  return promises.realpath(path);
}

/** Sizes and times of a file, as exact as the system has them; undefined if it is not there, as below what is no directory. */
export function exactStatSync(path: string): BigIntStats | undefined {
  recordPath(path, 'file');
  return statOrNothing(path);
}
