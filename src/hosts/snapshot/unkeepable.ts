import type {EventInput} from '../../model/events.js';
import type {EventKind, ImportEvent, ImportRead, RecordedImports} from './recorded-imports.js';

/** A module that a snapshot cannot hold, and why. */
export interface Unkeepable {
  readonly module: string;
  readonly reason: string;
  /** `FILE:LINE` of the module's body, where it is known. */
  readonly where?: string;
  /** Whether it is a shared library that was held. */
  readonly isLibrary?: boolean;
}

/** Modules that keep what differs in each process, and are renewed at each start (runtime/snapshot/renewal.c). */
const RENEWED = [
  ...['random', 'threading', 'logging', 'tempfile', 'multiprocessing.process'],
  ...['numpy.f2py.rules', 'numpy.random.mtrand', 'joblib._multiprocessing_helpers'],
];

/** What such modules read, and get anew at each start. */
const RENEWED_READS: Readonly<Record<string, readonly string[]>> = {'multiprocessing.process': ['fact cwd']};

/** What a start has to have in common with the build: all that modules read, but for those that are left out. */
export function readsOf(
  {reads}: Pick<RecordedImports, 'reads'>,
  out: ReadonlySet<string>,
): readonly ImportRead[] {
  return reads.filter(
    ({module, kind, name}) => !out.has(module) && RENEWED_READS[module]?.includes(`${kind} ${name}`) !== true,
  );
}

/** What a snapshot cannot hold, whatever the module does with it. */
const REASONS: Readonly<Partial<Record<EventKind, (event: ImportEvent) => string>>> = {
  extension: ({detail}) => `it is a shared library (${detail})`,
  thread: () => 'it starts a thread that goes on',
  open: ({detail}) => `it leaves ${detail} open`,
  write: ({detail}) => `it writes ${detail}`,
  network: () => 'it uses the network',
  input: () => 'it reads the standard input',
  output: () => 'it prints',
  child: ({detail}) => `it runs another program${detail === '' ? '' : ` (${detail})`}`,
  mapping: ({detail}) => `it maps memory (${detail})`,
  database: ({detail}) => `it opens a database${detail === '' ? '' : ` (${detail})`}`,
  setting: ({detail}) => `it changes the process itself (${detail})`,
  stream: () => 'it changes a standard stream',
  directory: () => 'it changes the working directory',
  environment: () => 'it reads the whole environment',
  lock: ({detail}) => `it leaves a lock held (${detail})`,
  library: ({detail}) => `it loads a shared library (${detail})`,
  arguments: () => 'it reads the arguments of the program',
};

/** What differs in each process. It matters only where it is kept, which the proof shows. */
const UNSTABLE: Readonly<Partial<Record<EventKind, string>>> = {
  clock: 'it reads a clock',
  process: 'it reads the number of the process',
  random: 'it reads random numbers',
};

/**
 * The modules that did what no snapshot can hold, each once, in order.
 * @param isProgram whether the executable has one name; an interpreter's `sys.argv[0]` is what it runs
 */
export function findUnkeepable(
  {events, reads}: Omit<RecordedImports, 'edges' | 'times'>,
  isProgram: boolean,
): readonly Unkeepable[] {
  const found = new Map<string, Unkeepable>();
  for (const event of events) {
    const reason = REASONS[event.kind]?.(event);
    if (reason === undefined || event.module === '') continue;
    if (!found.has(event.module)) found.set(event.module, unkeepable(event, reason));
  }
  for (const {kind, module, name} of isProgram ? [] : reads) {
    if (kind !== 'fact' || name !== 'program' || found.has(module)) continue;
    found.set(module, {module, reason: 'it reads the name of the program'});
  }
  return [...found.values()];
}

/** The modules whose libraries start threads. A snapshot holds these as threads that begin later, unless the imports wait for one. */
export function findThreads({events}: Pick<RecordedImports, 'events'>): readonly Unkeepable[] {
  const modules = events.flatMap(({kind, module}) => (kind === 'library thread' ? [module] : []));
  return [...new Set(modules)].map((module) => ({
    module,
    reason: 'its library starts a thread that goes on',
  }));
}

/** The modules that read what differs in each process: those that are to blame when two dumps differ and nothing else is known. */
export function findUnstable({events}: Pick<RecordedImports, 'events'>): readonly Unkeepable[] {
  const found = new Map<string, Unkeepable>();
  for (const event of events) {
    const reason = UNSTABLE[event.kind];
    if (reason === undefined || RENEWED.includes(event.module) || found.has(event.module)) continue;
    found.set(event.module, unkeepable(event, `${reason} (${event.detail})`));
  }
  return [...found.values()];
}

/** What locate_words.py says of words that lie in a shared library. */
const LIBRARY = 'a variable of the library';

/**
 * The modules that hold what differs in two dumps, from the lines of src/cpython/interpreter/scripts/locate_words.py. Of several that have the
 * same object, it belongs to those that have it from no other.
 */
export function parseLocated(
  text: string,
  recorded: Pick<RecordedImports, 'events' | 'edges'>,
): readonly Unkeepable[] {
  const objects = new Map<string, Map<string, string>>();
  for (const line of text.split('\n')) {
    const [, address, module, attribute, type] = /^located (\d+) (\S+) (.*) (\S+)$/.exec(line) ?? [];
    if (address === undefined || module === undefined) continue;
    const holders = objects.get(address) ?? new Map<string, string>();
    objects.set(
      address,
      holders.set(module, `${attribute ?? ''} has another value in each process (${type ?? ''})`),
    );
  }
  const found = new Map<string, Unkeepable>();
  for (const holders of objects.values()) {
    const names = [...holders.keys()];
    const users = new Map(
      names.map((name) => [name, withDependents([{module: name, reason: ''}], recorded, [])]),
    );
    for (const [module, differs] of holders) {
      const isFromOther = names.some((name) => name !== module && users.get(name)?.has(module) === true);
      const isLibrary = differs.startsWith(LIBRARY);
      if (!isFromOther && !found.has(module)) {
        found.set(
          module,
          isLibrary ? {module, reason: differs, isLibrary} : blame(module, differs, recorded),
        );
      }
    }
  }
  return [...found.values()];
}

function blame(module: string, differs: string, {events}: Pick<RecordedImports, 'events'>): Unkeepable {
  const event = events.find((each) => each.module === module && UNSTABLE[each.kind] !== undefined);
  if (event === undefined) return {module, reason: differs};
  return unkeepable(event, `${UNSTABLE[event.kind] ?? ''} (${event.detail}): ${differs}`);
}

function unkeepable({module, file, line}: ImportEvent, reason: string): Unkeepable {
  return {module, reason, ...(file === '' ? {} : {where: `${file}:${line}`})};
}

/**
 * The modules that are in memory only with one of `left`: those that import one of them while they are imported, themselves or through
 * others, and the submodules of a package that is left out.
 */
export function withDependents(
  left: readonly Unkeepable[],
  {edges}: Pick<RecordedImports, 'edges'>,
  modules: readonly string[],
): ReadonlySet<string> {
  const importers = new Map<string, Set<string>>();
  const add = (importer: string, imported: string): void => {
    importers.set(imported, (importers.get(imported) ?? new Set()).add(importer));
  };
  const names = new Set([...modules, ...edges.keys()]);
  for (const [importer, imported] of edges) {
    for (const name of imported) {
      // An import of `a.b` runs `a`, too.
      for (const each of withParents(name)) if (!withParents(importer).includes(each)) add(importer, each);
      names.add(name);
    }
  }
  for (const name of names) for (const parent of withParents(name).slice(1)) add(name, parent);
  const out = new Set<string>();
  const queue = left.map(({module}) => module);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (out.has(name)) continue;
    out.add(name);
    queue.push(...(importers.get(name) ?? []));
  }
  return out;
}

/** `a.b.c`, `a.b`, `a`. */
function withParents(name: string): readonly string[] {
  const parts = name.split('.');
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('.'));
}

/** How many modules a warning names. */
const NAMED = 20;

/** Of the time that all imports take: with so much left out, a start can take longer than without a snapshot, because its end takes all objects apart. */
const DOUBTFUL_SHARE = 0.5;

/** The one warning about modules that are left out of a snapshot; undefined if there are none. */
export function leftOutOfSnapshot(
  left: readonly Unkeepable[],
  all: ReadonlySet<string>,
  {times}: Pick<RecordedImports, 'times'>,
): EventInput | undefined {
  if (left.length === 0) return undefined;
  const ms = [...all].reduce((sum, module) => sum + (times.get(module) ?? 0), 0);
  const whole = [...times.values()].reduce((sum, each) => sum + each, 0);
  const isDoubtful = whole > 0 && ms / whole >= DOUBTFUL_SHARE;
  const lines = left.slice(0, NAMED).map(describe);
  const more = left.length - lines.length;
  const dependents = [...all].filter((name) => left.every(({module}) => module !== name)).sort();
  const others = dependents.slice(0, NAMED).join(', ') + (dependents.length > NAMED ? ', …' : '');
  return {
    type: 'warning',
    message: `${all.size} ${all.size === 1 ? 'module is' : 'modules are'} left out of the snapshot; each start that needs ${all.size === 1 ? 'it' : 'them'} imports ${all.size === 1 ? 'it' : 'them'} (${Math.round(ms)} ms when the snapshot was made):`,
    details: [
      ...lines,
      ...(more > 0 ? [`and ${more} more`] : []),
      ...(dependents.length > 0 ? [`and what imports them: ${others}`] : []),
      ...(isDoubtful
        ? [
            `That is ${Math.round((100 * ms) / whole)} % of the time that all imports took: a start may be slower than without a snapshot (compare it with FLASHFREEZE=no-snapshot).`,
          ]
        : []),
    ].join('\n'),
    hint: '--exclude NAME leaves a module out without a warning',
  };
}

function describe({module, reason, where}: Unkeepable): string {
  return `${module}${where === undefined ? '' : ` (${where})`}: ${reason}`.replaceAll('\n', String.raw`\n`);
}
