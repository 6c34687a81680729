import type {CollectLimits} from '../cache/collection.js';
import type {RemoteCache} from '../cache/remote/remote.js';
import type {JobSlots} from '../exec/job-slots.js';
import type {EventSink} from '../model/events.js';
import type {Repetition} from './repetition.js';

/** Which modules to freeze: the union of everything asked for, without what is excluded. */
export interface ModuleSelection {
  /** What the target imports for `-c pass`. */
  readonly startup: boolean;
  /** Arguments for the target, as one would type them after `python` (`-c "import asyncio"`, `-m json.tool x`). */
  readonly traces: readonly string[];
  readonly modules: readonly string[];
  /** Packages with all their submodules. */
  readonly packages: readonly string[];
  /** Everything importable in the standard library. */
  readonly stdlib: boolean;
  /** Globs over module names (`test.*`). */
  readonly exclude: readonly string[];
  /** Frozen modules win over files that come earlier on `sys.path`; else that decides, as it does without us. */
  readonly frozenFirst: boolean;
  /** The garbage collector rests while frozen modules are imported. */
  readonly restsCollector: boolean;
  /** Regular expressions that traced programs compile are compiled beforehand. */
  readonly preparesExpressions: boolean;
  /** So is the source text that they compile while they run. */
  readonly preparesSnippets: boolean;
}

/** What every host and command gets from the outside. */
export interface HostContext {
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** The working directory: traced programs run in it. */
  readonly cwd: string;
  /** The user's environment; children get declared variables only. */
  readonly userEnvironment: Readonly<Record<string, string | undefined>>;
  readonly cacheDir: string;
  /** What builds leave in the cache. */
  readonly cacheLimits?: CollectLimits;
  /** The cache of a team, for what is not in our own. */
  readonly remote?: RemoteCache | undefined;
  /** How much may be done at once. */
  readonly jobs: JobSlots;
  readonly force: boolean;
  readonly dryRun: boolean;
  /** For one build of a row; by default a build stands alone. */
  readonly repetition?: Repetition;
}

export interface SourceBuildOptions {
  /** The CPython source tree; never written to. */
  readonly source: string;
  /** A directory of ours: stage 1, images, journal. */
  readonly buildDir: string;
  /** Where the new interpreter is wanted; by default beside stage 1. */
  readonly out: string | undefined;
  readonly configureArguments: readonly string[];
  readonly makeArguments: readonly string[];
  /** Link a position-independent executable. */
  readonly pie: boolean;
  /** Link the extension modules into the interpreter that need no library besides. */
  readonly builtinExtensions: boolean;
  /** Link the debugging information of CPython's C, too. */
  readonly debugInfo: boolean;
  /** The C compiler, a command name or path; by default what configure finds. */
  readonly cc: string | undefined;
}

/** What the hosts for installed Pythons have in common. */
interface InstalledOptions {
  /** The Python: a path, or a name on PATH. */
  readonly python: string;
  /** A directory of ours; by default one in the cache. */
  readonly buildDir: string | undefined;
  /** The C compiler; by default the one that compiled the Python. */
  readonly cc: string | undefined;
}

export interface RelinkOptions extends InstalledOptions {
  /** Where the new interpreter is wanted. Absolute. */
  readonly out: string;
  /** Link it position-independent. */
  readonly pie: boolean;
  /** Link the debugging information that is in the archive, too. */
  readonly debugInfo: boolean;
}

export interface OverlayOptions extends InstalledOptions {
  /** The directory that the overlay is wanted in. Absolute. */
  readonly out: string;
}
