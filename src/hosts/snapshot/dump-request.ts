import {randomInt} from 'node:crypto';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import {type Entry, isRunAsMain, modulesToRun} from './program-entry.js';
import type {ImportRead} from './recorded-imports.js';

/** What a process is asked to do that makes a dump (src/runtime/snapshot/dump.c). */
export interface DumpRequest {
  /** Imported in this order. */
  readonly modules: readonly string[];
  /** Modules that nothing may import meanwhile. */
  readonly without: readonly string[];
  /** What a start has to have in common with the process. */
  readonly read: readonly Pick<ImportRead, 'kind' | 'name'>[];
  /** The seed of string hashes: every dict of the snapshot depends on it. */
  readonly seed: number;
  /** The snapshot is for other machines: nothing of this user or of the files' inodes is in it. */
  readonly portable?: boolean | undefined;
  /** Where another dump of the same imports drew random numbers, beyond a choice among few, this one draws others (src/runtime/snapshot/few-choices.c). */
  readonly isOpposite?: boolean | undefined;
  /** A statement that has to succeed behind the imports. */
  readonly check?: string | undefined;
  /** The file that gets the memory, or a list of what of it stays: of all allocations, whether they are there at the end. */
  readonly output: {readonly kind: 'dump' | 'record'; readonly path: string};
  /** How long the process may take, where it may wait for a thread that does not run. */
  readonly longestMs?: number | undefined;
  /** Such a list, of another process: what stays lies together. */
  readonly placement?: string;
  /** Instead of writing the dump, the process says which objects hold these addresses, by running a script. */
  readonly locate?: {readonly script: string; readonly words: readonly number[]};
}

/** Variables that CPython itself reads when it starts, besides PYTHON…: for the user's own site-packages. */
const READ_AT_START = ['HOME'];

/**
 * The request as text: a name and a value in each line.
 * @param prepare the paths of prepare_dump.py and what belongs to it, which the process runs
 */
export function dumpRequestText(request: DumpRequest, prepare: readonly string[]): string {
  const {modules, without, seed, output, locate, read, check, placement, portable = false} = request;
  // A line holds one name.
  const atStart = portable ? [] : READ_AT_START;
  const reads = [...atStart.map((name) => ({kind: 'variable', name})), ...read]
    .filter(({name}) => !name.includes('\n'))
    .map(({kind, name}) => `${kind} ${name}`);
  const lines = [
    [output.kind === 'dump' ? 'output' : 'record', output.path],
    ...prepare.map((path) => ['prepare', path]),
    ...(placement === undefined ? [] : [['placement', placement]]),
    ['seed', String(seed)],
    ...(portable ? [['portable', 'yes']] : []),
    ...(request.isOpposite === true ? [['opposite', 'yes']] : []),
    ...[...new Set(reads)].map((line) => [line]),
    ...modules.map((name) => ['module', name]),
    ...without.map((name) => ['without', name]),
    ...(check === undefined ? [] : [['check', check]]),
    ...(locate === undefined ? [] : [['locate', locate.script]]),
    ...(locate?.words ?? []).map((address) => ['word', address.toString(16)]),
  ];
  return lines.map((line) => `${line.join(' ')}\n`).join('');
}

/** A seed that nobody can guess. Zero would turn the randomisation of hashes off. */
export function newSeed(): number {
  return randomInt(1, 2 ** 32);
}

/** The seed of a release: that of one executable, which everybody can compute. */
export function seedOf(digest: string): number {
  return (parseInt(digest.slice(0, 8), 16) % (2 ** 32 - 1)) + 1;
}

/**
 * The modules whose imports a snapshot holds: those that get images and extension modules, without what CPython freezes (it imports what it
 * needs when it starts) and without main programs, which would run; and those with which CPython runs a program.
 */
export function modulesOfSnapshot({imports}: Pick<FreezePlan, 'imports'>, entry?: Entry): readonly string[] {
  const chosen = imports.filter((module) => !isRunAsMain(module, entry));
  return [...new Set([...chosen, ...modulesToRun(entry)])];
}
