/** What was measured, kept in `results/`, one file a suite: the document is made from them. */
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {cpus, release} from 'node:os';
import {join} from 'node:path';
import {z} from 'zod';
import {formatted} from './formatted.js';

const figure = z.object({median: z.number(), spread: z.number()});

/** What one side took; null where it was not measured. */
const measured = z.object({
  /** Wall-clock milliseconds from start to end. */
  wall: figure.nullable(),
  /** The same without `.pyc` files. */
  noBytecode: figure.nullable().default(null),
  /** The same with a cold page cache. */
  cold: figure.nullable().default(null),
  /** Minor page faults. */
  faults: figure.nullable(),
  instructions: z.number().nullable(),
  /** Kilobytes of each of several processes at once. */
  pss: figure.nullable(),
});
export type Measured = z.infer<typeof measured>;

const row = z.object({
  subject: z.string(),
  python: z.string(),
  /** What was run, in words for a table. */
  command: z.string(),
  sides: z.record(z.string(), measured),
  /** The load average when times were taken, the larger of before and after. */
  load: z.number().nullable(),
});
export type Row = z.infer<typeof row>;

const results = z.object({machine: z.string(), rows: z.array(row)});
export type Results = z.infer<typeof results>;

export const UNMEASURED: Measured = {
  ...{wall: null, noBytecode: null, cold: null},
  ...{faults: null, instructions: null, pss: null},
};

const fileOf = (suite: string): string => join(import.meta.dirname, 'results', `${suite}.json`);

/** What is known of a suite; nothing of one that never ran. */
export function readResults(suite: string): Results | undefined {
  const file = fileOf(suite);
  return existsSync(file) ? results.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

/** Puts rows among those of the suite that were measured on this machine. Figures of different machines are not mixed. */
export async function keepRows(suite: string, rows: readonly Row[]): Promise<void> {
  const machine = thisMachine();
  const known = readResults(suite);
  const file = fileOf(suite);
  const kept: Results = {machine, rows: [...mergeRows(known?.machine === machine ? known.rows : [], rows)]};
  mkdirSync(join(file, '..'), {recursive: true});
  writeFileSync(file, await formatted(JSON.stringify(kept), file));
}

/** New rows take the place of old ones; what was not measured this time stays as it was measured before. */
export function mergeRows(old: readonly Row[], rows: readonly Row[]): readonly Row[] {
  const merged = [...old];
  for (const each of rows) {
    const at = merged.findIndex((other) => isSame(other, each));
    const before = merged[at];
    if (before === undefined) merged.push(each);
    else merged[at] = merge(before, each);
  }
  return merged;
}

function isSame(one: Row, other: Row): boolean {
  return one.subject === other.subject && one.command === other.command;
}

function merge(before: Row, now: Row): Row {
  const names = [...new Set([...Object.keys(before.sides), ...Object.keys(now.sides)])];
  const sides = names.map((name) => {
    const [old, fresh] = [before.sides[name] ?? UNMEASURED, now.sides[name] ?? UNMEASURED];
    return [
      name,
      {
        wall: fresh.wall ?? old.wall,
        noBytecode: fresh.noBytecode ?? old.noBytecode,
        cold: fresh.cold ?? old.cold,
        faults: fresh.faults ?? old.faults,
        instructions: fresh.instructions ?? old.instructions,
        pss: fresh.pss ?? old.pss,
      },
    ] as const;
  });
  return {...now, sides: Object.fromEntries(sides), load: now.load ?? before.load};
}

function thisMachine(): string {
  const all = cpus();
  return `${all[0]?.model.trim() ?? 'unknown processor'}, ${all.length} cores, Linux ${release()}`;
}
