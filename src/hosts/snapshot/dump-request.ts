import {randomInt} from 'node:crypto';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';

/** What a process is asked to do that makes a dump (src/runtime/snapshot/dump.c). */
export interface DumpRequest {
  /** Imported in this order. */
  readonly modules: readonly string[];
  /** The seed of string hashes: every dict of the snapshot depends on it. */
  readonly seed: number;
  /** The file that gets the memory, or a list of what of it stays: of all allocations, whether they are there at the end. */
  readonly output: {readonly kind: 'dump' | 'record'; readonly path: string};
  /** Such a list, of another process: what stays lies together. */
  readonly placement?: string;
}

/** Variables that CPython itself reads when it starts, besides PYTHON…: for the user's own site-packages. */
const READ_AT_START = ['HOME'];

/** The request as text: a name and a value in each line. */
export function dumpRequestText({modules, seed, output, placement}: DumpRequest): string {
  const lines = [
    [output.kind === 'dump' ? 'output' : 'record', output.path],
    ...(placement === undefined ? [] : [['placement', placement]]),
    ['seed', String(seed)],
    ...READ_AT_START.map((name) => ['variable', name]),
    ...modules.map((name) => ['module', name]),
  ];
  return lines.map((line) => `${line.join(' ')}\n`).join('');
}

/** A seed that nobody can guess. Zero would turn the randomisation of hashes off. */
export function newSeed(): number {
  return randomInt(1, 2 ** 32);
}

/**
 * The modules whose imports a snapshot holds: those that get images, without what CPython freezes (it imports what it needs when it
 * starts) and without main programs, which would run.
 */
export function modulesOfSnapshot({modules}: Pick<FreezePlan, 'modules'>): readonly string[] {
  return modules
    .filter(({isCPythonFrozen, module}) => !isCPythonFrozen && !/(^|\.)__main__$/.test(module))
    .map(({module}) => module);
}
