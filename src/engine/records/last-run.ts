import {rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {removeQuietly, temporaryIn} from '../../fs/files.js';
import type {ActionId} from '../../model/action.js';
import {readValidJson} from '../../fs/read-json.js';
import {isNumber, isText, listOf, objectWith, oneOf, schemaOf} from '../../model/shape.js';
import {type Account, accountCheck} from '../causes.js';

/** The record of the last run on a build directory. A dry run leaves none. */
export interface LastRun {
  /** When it began, ISO 8601 in UTC. */
  readonly run: string;
  readonly ms: number;
  /** The actions that were up to date. */
  readonly fresh: readonly ActionId[];
  /** All other actions, in the order in which they finished. */
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
 * Writes it. Only explanations read it, so it is not flushed to disk, and a failure to
 * write it is ignored.
 */
export async function writeLastRun(buildDir: string, run: LastRun): Promise<void> {
  const file = fileIn(buildDir);
  const temporary = temporaryIn(buildDir);
  try {
    await writeFile(temporary, JSON.stringify({schema: SCHEMA, ...run}), {flag: 'wx'});
    await rename(temporary, file);
  } catch {
    await removeQuietly(temporary);
  }
}

interface LastRunFile extends LastRun {
  readonly schema: number;
}

const doneCheck = objectWith<DoneAction>({
  id: isText,
  ms: isNumber,
  account: accountCheck,
  needs: listOf(isText),
});
const lastRunFile = schemaOf<LastRunFile>(
  objectWith<LastRunFile>({
    schema: oneOf(SCHEMA),
    run: isText,
    ms: isNumber,
    fresh: listOf(isText),
    done: listOf(doneCheck),
  }),
);

/** Undefined when there was no run, or what it left cannot be read. */
export async function readLastRun(buildDir: string): Promise<LastRun | undefined> {
  return readValidJson(fileIn(buildDir), lastRunFile);
}
