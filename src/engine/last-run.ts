import {readFile, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {removeQuietly, TEMPORARY, uniqueSuffix} from '../fs/files.js';
import type {ActionId} from '../model/action.js';
import type {Account} from './causes.js';

/** What the last run on a build folder did. A dry run leaves nothing. */
export interface LastRun {
  /** When it began, ISO 8601 in UTC. */
  readonly run: string;
  readonly ms: number;
  /** What was in place already. */
  readonly fresh: readonly ActionId[];
  /** Everything else that it did, in the order in which that was done. */
  readonly done: readonly DoneAction[];
}

export interface DoneAction {
  readonly id: ActionId;
  readonly ms: number;
  readonly account: Account;
  /** The actions whose outputs it reads. */
  readonly needs: readonly ActionId[];
}

const SCHEMA = 1;

function fileIn(buildDir: string): string {
  return join(buildDir, 'last-run.json');
}

/**
 * Writes it down. Only explanations read it, so it is not waited for until it is on the disk, and that it cannot be
 * written is no failure.
 */
export async function writeLastRun(buildDir: string, run: LastRun): Promise<void> {
  const file = fileIn(buildDir);
  const temporary = join(buildDir, TEMPORARY + uniqueSuffix());
  try {
    await writeFile(temporary, JSON.stringify({schema: SCHEMA, ...run}));
    await rename(temporary, file);
  } catch {
    await removeQuietly(temporary);
  }
}

/** Undefined when there was no run, or what it left cannot be read. */
export async function readLastRun(buildDir: string): Promise<LastRun | undefined> {
  try {
    const value = JSON.parse(await readFile(fileIn(buildDir), 'utf8')) as Partial<LastRun> & {
      schema?: unknown;
    };
    const {schema, run, ms, fresh, done} = value;
    if (schema !== SCHEMA || typeof run !== 'string' || typeof ms !== 'number') return undefined;
    return Array.isArray(fresh) && Array.isArray(done) ? {run, ms, fresh, done} : undefined;
  } catch {
    return undefined;
  }
}
