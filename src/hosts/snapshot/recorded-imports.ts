import {z} from 'zod';
import {fail, ok, type Result} from '../../model/result.js';

/** What modules did while they were imported: lines of src/cpython/interpreter/scripts/record_imports.py. */
const KINDS = [
  'clock',
  'process',
  'random',
  'extension',
  'thread',
  'library thread',
  'open',
  'write',
  'child',
  'mapping',
  'database',
  'network',
  'input',
  'output',
  'setting',
  'stream',
  'directory',
  'environment',
  'arguments',
  'lock',
  'library',
] as const;
export type EventKind = (typeof KINDS)[number];

export interface ImportEvent {
  readonly kind: EventKind;
  readonly module: string;
  /** The module's body, and the line of it that ran; empty and 0 where that is not known. */
  readonly file: string;
  readonly line: number;
  readonly detail: string;
}

const READS = [
  ...(['variable', 'file', 'examined', 'fact', 'arguments', 'moment', 'generator', 'path'] as const),
  ...(['token', 'table'] as const),
] as const;

/**
 * What a module looked at: an environment variable, a file or directory, or something else about the process (runtime/snapshot/facts.c); or an attribute that
 * each start makes anew: a list of all arguments, or (with the function of `time`) a reading of a clock; or the seed of its generator of random numbers; or all
 * of `sys.path`; or, by their paths, a value that is made of random bytes of the system, and a dictionary or set whose order depends on one (kept_tokens.py).
 */
export interface ImportRead {
  readonly kind: (typeof READS)[number];
  readonly module: string;
  readonly name: string;
}

/** All that was recorded. */
export interface RecordedImports {
  readonly events: readonly ImportEvent[];
  /** What each module imported while it was imported. */
  readonly edges: ReadonlyMap<string, ReadonlySet<string>>;
  readonly reads: readonly ImportRead[];
  /** How many milliseconds each module took, without those that it imported. */
  readonly times: ReadonlyMap<string, number>;
}

const line = z.union([
  z.strictObject({edge: z.tuple([z.string(), z.string()])}),
  z.strictObject({
    event: z.strictObject({
      kind: z.enum(KINDS),
      module: z.string(),
      file: z.string(),
      line: z.number(),
      detail: z.string(),
    }),
  }),
  z.strictObject({
    read: z.tuple([z.enum(READS), z.string(), z.string()]),
  }),
  z.strictObject({time: z.tuple([z.string(), z.number()])}),
  z.strictObject({end: z.literal(true)}),
]);

/** Reads the recording. Fails with SNAPSHOT when it has no end: the imports ended the process. */
export function parseRecording(text: string): Result<RecordedImports> {
  const events: ImportEvent[] = [];
  const edges = new Map<string, Set<string>>();
  const times = new Map<string, number>();
  const reads: ImportRead[] = [];
  let isWhole = false;
  for (const each of text.split('\n')) {
    if (each === '') continue;
    const parsed = line.safeParse(parseJson(each));
    if (!parsed.success)
      return fail('SNAPSHOT', `the recording of the imports has an invalid line: ${each.slice(0, 200)}`);
    const {data} = parsed;
    if ('edge' in data) {
      const [importer, imported] = data.edge;
      const known = edges.get(importer) ?? new Set();
      edges.set(importer, known.add(imported));
    } else if ('event' in data) events.push(data.event);
    else if ('read' in data) {
      const [kind, module, name] = data.read;
      reads.push({kind, module, name});
    } else if ('time' in data) times.set(...data.time);
    else isWhole = true;
  }
  if (!isWhole) return fail('SNAPSHOT', 'the imports end the process before they are done');
  return ok({events, edges, reads, times});
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
