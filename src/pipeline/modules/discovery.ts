import {basename, join} from 'node:path';
import {z} from 'zod';
import {readMemo, writeMemo} from '../../fs/memo.js';
import {readJson} from '../../fs/read-json.js';
import {existsSync, recordFile, recordWritten} from '../../fs/recorded-fs.js';
import {currentRecording} from '../../fs/recording.js';
import {removeQuietly, writeFileAtomic} from '../../fs/files.js';
import {isUtf8Path} from '../../fs/utf8-path.js';
import {scriptFiles} from '../../cpython/interpreter/scripts.js';
import {type ModuleRecord, moduleRecord} from '../../cpython/interpreter/modules/modules.js';
import {digestOf} from '../../model/digest.js';
import {canonicalJson, type Json} from '../../model/canonical-json.js';
import {type Result, fail, ok} from '../../model/result.js';
import type {Site} from '../host.js';
import type {ModuleSelection} from '../build-options.js';
import type {Places} from '../build-places.js';
import {READERS} from '../reader-identity.js';
import {environmentDigest} from './program-environment.js';
import {dependsOnUser, realScripts, type Selected, selectModules, tracedScripts} from './selection.js';
import {programStart} from './program-start.js';
import {foldersOf, listingDigest} from './source-folders.js';
import type {Toolchain} from '../toolchain.js';
import {reportTraceProblems, traceProblem} from './trace-problem.js';

/**
 * Which modules a program needs changes only when import statements do, or when there are other files, so discovery is
 * keyed by the *imported names* of the modules that it found and by the listings of their directories, not by their sources: an
 * edit inside a function does not run the program again, unless it is in the script that is run. The names are known only after compiling what discovery found; the
 * memo carries them to the next build.
 */
const stateSchema = z.object({
  /** The key inputs of the last discovery. */
  keyedWith: z.string(),
  /** The imports of the modules that it found, and the entries of the directories. */
  state: z.string(),
  /** The digests of what each of those modules imported when it last compiled; null of one that never did. */
  imports: z.record(z.string(), z.string().nullable()),
  /** Every directory in which a module was found since then: one that disappeared may come back. */
  folders: z.array(z.string()),
  modules: z.array(moduleRecord),
  /** The variables that programs read (null stands for all), the digest of their values, and that of the last discovery. */
  variables: z.array(z.string().nullable()),
  environment: z.string(),
  keyedEnvironment: z.string(),
});
type DiscoveryState = z.infer<typeof stateSchema>;

/** The output of the action. */
const selectedSchema: z.ZodType<Selected> = z.object({
  modules: z.array(moduleRecord),
  sameNames: z.array(z.object({name: z.string(), frozen: z.string(), other: z.string()})),
  compiled: z.record(z.string(), z.array(z.unknown())),
  variables: z.array(z.string().nullable()),
  problems: z.array(traceProblem),
});

/** What modules import: a digest of the names, or null of a module that does not compile. */
export type Imports = readonly (readonly [module: string, digest: string | null])[];

export interface Discovery extends Pick<Selected, 'modules' | 'compiled' | 'problems'> {
  /** Stores the imports of the modules for the next build. */
  readonly remember: (imports: Imports) => Promise<void>;
}

/**
 * Finds the modules to freeze, as an action.
 * @param currentImports gives what a list of modules imports as they are now, by compiling them; undefined when one of them
 * does not compile that the build needs: it reports that, and running programs would only fail with another message.
 */
export async function discover(
  selection: ModuleSelection,
  {behaviour, interpreter, target}: Toolchain,
  places: Places,
  {engine, context}: Site,
  currentImports: (modules: readonly ModuleRecord[]) => Promise<Imports | undefined>,
): Promise<Result<Discovery>> {
  const memoPath = join(places.work, 'discovery-memo.json');
  // The path of the library: the same interpreter, moved or of an equal tree elsewhere, finds other files.
  const library = target.stdlib;
  // The working directory of programs, which decides their relative paths, and what `-c`, `-m` and `--module` import.
  const isOfUser = dependsOnUser(selection);
  const cwd = isOfUser ? context.cwd : null;
  const question = canonicalJson({
    ...{selection: selectionRecord(selection), python: behaviour.digest},
    ...{library, cwd},
  });
  recordFile(memoPath);
  const memo = (await readMemo(memoPath, question, stateSchema))?.answer;
  const imports = memo === undefined ? undefined : await currentImports(memo.modules);
  // What appears from here on was perhaps not seen, so it has to differ from what the memo says.
  const listings = await listingDigest(memo?.folders ?? []);
  const now = imports === undefined ? undefined : stateOf(lastImports(imports, memo), listings);
  const doesCompile = memo === undefined || now !== undefined;
  const anew = doesCompile ? context.repetition?.discoverAnew : undefined;
  const usual = memo === undefined ? 'first' : now === undefined || now === memo.state ? memo.keyedWith : now;
  const start = isOfUser ? await programStart(interpreter, context.userEnvironment, context.cwd, places) : '';
  const environmentOf = (variables: Selected['variables']): string =>
    isOfUser ? digestOf(`${environmentDigest(variables, context.userEnvironment)} ${start}`) : '';
  const environment = environmentOf(memo?.variables ?? []);
  const keyedEnvironment =
    memo === undefined ? 'first' : environment === memo.environment ? memo.keyedEnvironment : environment;
  // A list with missing files was made while they changed: the same question may have another answer. So it may after a
  // program ended with an error: what is mended is often neither an import nor a variable.
  const listPath = join(places.work, 'modules.json');
  const earlier = await readJson(listPath, selectedSchema);
  if (earlier.kind === 'invalid' && !context.dryRun) {
    const message = `${listPath} is ignored, and the modules are discovered again: ${earlier.reason}`;
    context.events.emit({type: 'notice', message});
    await removeQuietly(listPath);
  }
  const gone = earlier.kind === 'valid' ? doubtful(earlier.value) : [];
  const keyedWith = anew ?? (doesCompile && gone.length > 0 ? digestOf([usual, ...gone].join('\n')) : usual);
  const scripts = await engine.sources(
    (['trace_imports.py', 'resolve_modules.py'] as const).flatMap((name) => scriptFiles(name)),
  );
  if (!scripts.ok) return scripts;
  const files = tracedScripts(selection, context.cwd);
  const programs = await engine.sources(files.map((path) => ({name: `script ${basename(path)}`, path})));
  if (!programs.ok) return programs;
  const action = await engine.run({
    id: 'discover:modules',
    tools: [behaviour, READERS, ...scripts.value.map(({name, digest}) => ({name, digest}))],
    arguments: {
      ...{selection: selectionRecord(selection), library, cwd, imports: keyedWith},
      scripts: await realScripts(files),
    },
    environment: isOfUser ? {variables: keyedEnvironment} : {},
    inputs: programs.value,
    outputs: [{name: 'modules', path: listPath}],
    storage: 'in-place',
    async execute({outputs}) {
      const selected = await selectModules(interpreter, selection, context);
      if (!selected.ok) return selected;
      // Not through a link that somebody put there.
      return writeFileAtomic(outputs['modules'] ?? '', JSON.stringify(selected.value));
    },
  });
  if (!action.ok) return action;
  const list = action.value.outputs['modules'];
  if (list === undefined || engine.isPending(list)) {
    return fail('DRY_RUN', 'the modules are not known before the first build', {
      hint: 'run once without --dry-run',
    });
  }
  const selected = await readJson(list.path, selectedSchema);
  if (selected.kind !== 'valid') return fail('DISCOVER', `cannot read ${list.path}`);
  const {modules, compiled, variables, problems, sameNames} = selected.value;
  // The next run discovers again: see above.
  if (doubtful(selected.value).length > 0) {
    currentRecording()?.addGap('a source is missing, or a traced program failed');
  }
  const traced = reportTraceProblems(problems, selection.strictTraces ?? false, context.events);
  if (!traced.ok) return traced;
  for (const {name, frozen, other} of sameNames) {
    const message = `there are two modules ${name}: ${frozen} is frozen, and ${other} loads from its file`;
    context.events.emit({type: 'warning', message, isLasting: true});
  }
  return ok({
    modules,
    compiled,
    problems,
    async remember(newImports) {
      if (context.dryRun) return;
      const found = foldersOf(
        modules.flatMap(({kind, origin}) => (kind === 'source' && origin !== null ? [origin] : [])),
      );
      const folders = [...new Set([...(memo?.folders ?? []), ...found])].sort();
      const isSameFolders = memo !== undefined && folders.length === memo.folders.length;
      // Where programs ran, what does not compile may have kept them from importing more.
      const known = action.value.outcome === 'executed' ? newImports : lastImports(newImports, memo);
      const suspects = lostModules(memo, imports, modules);
      const all: Imports = [...known, ...suspects.map(({name}) => [name, null] as const)];
      const state = stateOf(all, isSameFolders ? listings : await listingDigest(folders));
      const answer: DiscoveryState = {
        keyedWith,
        state,
        imports: Object.fromEntries(all),
        folders,
        modules: [...modules, ...suspects],
        ...{variables: [...variables], environment: environmentOf(variables), keyedEnvironment},
      };
      if (memo !== undefined && isSameState(memo, answer)) return;
      await writeMemo(memoPath, {question, answer, paths: []});
      recordWritten(memoPath);
    },
  });
}

function stateOf(imports: Imports, listings: string): string {
  return digestOf(`${digestOf(canonicalJson(imports))} ${listings}`);
}

/** What modules import, where one that does not compile for the moment imports what it did: programs need not run again for it. */
function lastImports(imports: Imports, memo: Pick<DiscoveryState, 'imports'> | undefined): Imports {
  return imports.map(([module, digest]) => [module, digest ?? memo?.imports[module] ?? null]);
}

/**
 * The modules that programs imported and now do not, while they do not compile: the reason is perhaps just that. When they compile again,
 * programs run again.
 */
function lostModules(
  memo: Pick<DiscoveryState, 'modules'> | undefined,
  imports: Imports | undefined,
  modules: readonly ModuleRecord[],
): readonly ModuleRecord[] {
  const names = new Set(modules.map(({name}) => name));
  const broken = new Set(imports?.flatMap(([module, digest]) => (digest === null ? [module] : [])));
  return (memo?.modules ?? []).filter(({name}) => !names.has(name) && broken.has(name));
}

function isSameState(one: DiscoveryState, other: DiscoveryState): boolean {
  const fields = ['keyedWith', 'state', 'keyedEnvironment', 'environment'] as const;
  return (
    fields.every((name) => one[name] === other[name]) &&
    canonicalJson(one.variables) === canonicalJson(other.variables)
  );
}

/** The sources that a list of modules names and that are not there. */
function missingFrom({modules}: Selected): readonly string[] {
  return modules.flatMap(({kind, origin}) =>
    kind === 'source' && origin !== null && isUtf8Path(origin) && !existsSync(origin) ? [origin] : [],
  );
}

/** Why another run may have another result although nothing that it depends on has changed: missing sources, and failed programs. */
function doubtful(selected: Selected): readonly string[] {
  return [...missingFrom(selected), ...selected.problems.map(({message}) => message)];
}

/** The selection as JSON. */
function selectionRecord(selection: ModuleSelection): Json {
  return {
    startup: selection.startup,
    traces: selection.traces,
    modules: selection.modules,
    packages: selection.packages,
    stdlib: selection.stdlib,
    exclude: selection.exclude,
  };
}
