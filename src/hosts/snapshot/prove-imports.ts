import {join} from 'node:path';
import {clearFile} from '../../fs/removal.js';
import {scriptPath} from '../../cpython/interpreter/scripts.js';
import type {Failure} from '../../model/failure.js';
import {type Result, err, fail, ok} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import {compareDumps, type Differences, type UnexplainedWord} from './compare-dumps.js';
import {importOf} from './program-entry.js';
import {type Recording, recordImports} from './record-imports.js';
import type {RecordedImports} from './recorded-imports.js';
import {type Dumper, dumpPlaced, runDump} from './run-dump.js';
import {symbolsOf, unexplainedFailure, withoutExplained} from './unexplained.js';
import {findOutsideRelease} from './outside-release.js';
import {
  findThreads,
  findUnkeepable,
  findUnstable,
  parseLocated,
  readsOf,
  type Unkeepable,
  withDependents,
} from './unkeepable.js';

/** What is imported, and how. */
export interface Imports extends Dumper, Recording {
  /** The executable, without a snapshot. */
  readonly executable: string;
  /** The seed of string hashes. */
  readonly seed: number;
  /** The directory that a release is unpacked into; undefined for a snapshot that stays on this machine. */
  readonly releasedAt?: string | undefined;
}

/** A dump that another one was equal to, without the modules that cannot be kept. */
export interface ProvedImports {
  readonly dump: Buffer;
  /** What the imports printed. */
  readonly said: string;
  /** What was imported, in this order. */
  readonly modules: readonly string[];
  readonly left: readonly Unkeepable[];
  /** What was recorded, with imports that were seen only without those that are left out. */
  readonly recorded: RecordedImports;
  /** The words in which the two differed, and that are explained. */
  readonly explained: readonly UnexplainedWord[];
  /** Those that each start moves. */
  readonly moved: Differences['moved'];
}

/** How often modules are left out because two dumps differ, or because they import one that is left out. */
const ATTEMPTS = 12;
/** How long imports may take whose libraries start threads: one that looks again and again whether a thread has begun would never end. */
const LONGEST_MS = 5 * 60_000;
/** How many words of a difference are located. */
const LOCATED = 2000;

/**
 * Runs the imports in two processes and compares their memory. Modules that cannot be kept are left out, with what imports them. Fails with
 * SNAPSHOT when the imports leave something that cannot be kept, or differ in the two, and no module is known to do that.
 */
export async function proveImports(
  imports: Imports,
  first: RecordedImports,
  site: Pick<Site, 'context'>,
): Promise<Result<ProvedImports>> {
  const {entry, seed, releasedAt, folder} = imports;
  const files = ['first', 'second'].map((name) => join(folder, `${name}.dump`));
  const placement = join(folder, 'placement');
  let recorded = first;
  let left = findUnkeepable(recorded, entry !== undefined);
  if (releasedAt !== undefined) left = [...left, ...findOutsideRelease(recorded, releasedAt, left)];
  let problem: Failure | undefined;
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const all = withDependents(left, recorded, imports.modules);
      // Of what a module imports that is left out, the rest is kept.
      const rest = left.length > 0 ? recorded.times.keys() : [];
      const modules = [...new Set([...imports.modules, ...rest])].filter((name) => !all.has(name));
      const without = left.map(({module}) => module);
      const read = readsOf(recorded, all);
      const check = entry?.kind === 'function' && !all.has(entry.module) ? importOf(entry) : undefined;
      const portable = releasedAt !== undefined;
      const threads = findThreads(recorded).filter(({module}) => !all.has(module));
      const longestMs = threads.length > 0 ? LONGEST_MS : undefined;
      const request = {modules, without, read, seed, check, placement, portable, longestMs};
      const dumps: Buffer[] = [];
      let said = '';
      await clearFile(placement);
      for (const path of files) {
        const isOpposite = path !== files[0];
        const done = await dumpPlaced(imports, {...request, isOpposite}, path, site);
        if (!done.ok) {
          const more = await withHiddenImports(recorded, {...imports, modules}, all, site);
          if ((more === undefined && threads.length === 0) || attempt === ATTEMPTS - 1) return done;
          if (more === undefined) left = [...left, ...threads];
          else recorded = more;
          break;
        }
        ({said} = done.value);
        dumps.push(done.value.bytes);
      }
      const [one, other] = dumps;
      if (one === undefined || other === undefined) continue;
      const difference = await differenceOf(one, other, imports, site);
      if (!difference.ok) return difference;
      const {explained, moved, words, failure} = difference.value;
      if (failure === undefined) return ok({dump: other, said, modules, left, recorded, explained, moved});
      problem = failure;
      const output = {kind: 'dump', path: files[0] ?? ''} as const;
      const inRegion = words.filter(({part}) => part === 'region').map(({address}) => address);
      const locate = {script: scriptPath('locate_words.py'), words: inRegion.slice(0, LOCATED)};
      const located =
        inRegion.length === 0 ? ok('') : await runDump(imports, {...request, output, locate}, site);
      if (!located.ok) return located;
      // What Python imports when it starts is in every process.
      const isNew = ({module, isLibrary}: Unkeepable): boolean =>
        !all.has(module) && (isLibrary === true || recorded.times.has(module));
      const blamed = parseLocated(located.value, recorded).filter(isNew);
      const suspects = [
        blamed,
        findUnstable(recorded).filter(isNew),
        heldModules(located.value).filter(isNew),
      ];
      const more = suspects.find((each) => each.length > 0) ?? [];
      // The first of two runs may write files that the second one reads, such as bytecode.
      if (more.length === 0 && attempt > 0) break;
      left = [...left, ...more];
    }
    return err(problem ?? fail('BUG', 'there is no difference').failure);
  } finally {
    await Promise.all([...files, placement].map((file) => clearFile(file)));
  }
}

/**
 * Imports of modules that are left out, by modules that are not: those that were hidden because somebody else had imported them before, such as an
 * attribute that a package imports when it is asked for. They are seen when only the rest is imported. Undefined if there are none.
 */
async function withHiddenImports(
  recorded: RecordedImports,
  rest: Recording,
  leftOut: ReadonlySet<string>,
  site: Pick<Site, 'context'>,
): Promise<RecordedImports | undefined> {
  if (leftOut.size === 0) return undefined;
  const again = await recordImports(rest, site);
  if (!again.ok) return undefined;
  const edges = new Map(recorded.edges);
  for (const [importer, imported] of again.value.edges) {
    const hidden = leftOut.has(importer) ? [] : [...imported].filter((name) => leftOut.has(name));
    if (hidden.length > 0) edges.set(importer, new Set([...(edges.get(importer) ?? []), ...hidden]));
  }
  return [...edges].some(([importer, imported]) => imported !== recorded.edges.get(importer))
    ? {...recorded, edges}
    : undefined;
}

/** Extension modules that locate_words.py names as held: when nobody is known to hold what differs, all of them are left out. */
function heldModules(text: string): readonly Unkeepable[] {
  return [...new Set(text.match(/(?<=^held )\S+$/gm))].map((module) => ({
    module,
    reason: 'something differs in each process, and it is not known who keeps it',
  }));
}

interface DumpDifference extends Differences {
  readonly explained: readonly UnexplainedWord[];
  /** Undefined when all differences are explained. */
  readonly failure: Failure | undefined;
}

/** How two dumps differ. */
async function differenceOf(
  first: Buffer,
  second: Buffer,
  of: Pick<Imports, 'executable' | 'environment'>,
  site: Pick<Site, 'context'>,
): Promise<Result<DumpDifference>> {
  const compared = compareDumps(first, second);
  if (!compared.ok) return ok({explained: [], words: [], moved: [], failure: compared.failure});
  const {words: all, moved} = compared.value;
  if (all.length === 0) return ok({explained: [], words: [], moved, failure: undefined});
  const symbols = await symbolsOf(of, site);
  if (!symbols.ok) return symbols;
  const words = withoutExplained(all, symbols.value);
  const unexplained = new Set(words);
  return ok({
    explained: all.filter((word) => !unexplained.has(word)),
    moved,
    words,
    failure: words.length === 0 ? undefined : unexplainedFailure(words, symbols.value),
  });
}
