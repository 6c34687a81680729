/** The cost of builds: kept in `results/building.json`, and written as a section of the document. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import {formatted} from './formatted.js';
import {table} from './table.js';

const cost = z.object({
  modules: z.number(),
  /** Of all modules. */
  lines: z.number(),
  /** Processor time of all processes, in seconds. */
  cpu: z.number(),
  /** Megabytes of the largest process. */
  peak: z.number(),
  /** Seconds that actions of each kind took, one after the other; some ran at the same time. */
  steps: z.record(z.string(), z.number()),
});
export type BuildCost = z.infer<typeof cost>;

const imageCost = z.object({
  what: z.string(),
  /** The state of this checkout, the one before, or another tool. */
  by: z.string(),
  /** Seconds. */
  wall: z.number(),
  /** Seconds of all processes. */
  cpu: z.number(),
  /** Megabytes of the largest process. */
  peak: z.number(),
});
export type ImageCost = z.infer<typeof imageCost>;

const IMAGES = join(import.meta.dirname, 'results', 'images.json');
const FILE = join(import.meta.dirname, 'results', 'building.json');
const SHOWN = ['compile', 'generate', 'cc', 'link'] as const;

/** Nothing where none was ever measured. */
export function readBuildCosts(): readonly BuildCost[] {
  return existsSync(FILE) ? z.array(cost).parse(JSON.parse(readFileSync(FILE, 'utf8'))) : [];
}

/** New costs take the place of old ones of as many modules. */
export async function keepBuildCosts(costs: readonly BuildCost[]): Promise<void> {
  const old = readBuildCosts().filter(({modules}) => !costs.some((each) => each.modules === modules));
  const all = [...old, ...costs].sort((a, b) => a.modules - b.modules);
  writeFileSync(FILE, await formatted(JSON.stringify(all), FILE));
}

export function buildingSection(costs: readonly BuildCost[]): string {
  const lines = costs.map(({modules, lines, cpu, peak, steps}) => [
    String(modules),
    String(lines),
    cpu.toFixed(1),
    ((1000 * cpu) / modules).toFixed(0),
    String(peak),
    ...SHOWN.map((step) => (steps[step] ?? 0).toFixed(1)),
  ]);
  return [
    '### Building',
    'An interpreter is relinked with copies of standard-library modules, with empty caches. The table has the processor time of all processes, the memory of the largest one, and the sum of the times between start and end of the actions of each kind (two ran at a time).',
    table(
      ['modules', 'lines', 'CPU, s', 'per module, ms', 'peak, MB', ...SHOWN.map((step) => `${step}, s`)],
      lines,
    ),
  ].join('\n\n');
}

/** Nothing where none was ever measured. */
export function readImageCosts(): readonly ImageCost[] {
  return existsSync(IMAGES) ? z.array(imageCost).parse(JSON.parse(readFileSync(IMAGES, 'utf8'))) : [];
}

/** What was measured now takes the place of all that was before. */
export async function keepImageCosts(costs: readonly ImageCost[]): Promise<void> {
  writeFileSync(IMAGES, await formatted(JSON.stringify(costs), IMAGES));
}

export function imagesSection(costs: readonly ImageCost[]): string {
  const lines = costs.map(({what, by, wall, cpu, peak}) => [
    what,
    by,
    wall.toFixed(2),
    cpu.toFixed(2),
    String(peak),
  ]);
  return [
    '### Making images',
    "Images of 3.13.15, from source: all of the standard library where CPython is built and all caches are empty, with Python's own compiler of bytecode beside it; and the way from an edit of `os.py` to a new interpreter that was tried. `before` is the state in which a C compiler made the object of each module.",
    table(['what', 'by', 'time, s', 'CPU, s', 'peak, MB'], lines),
  ].join('\n\n');
}
