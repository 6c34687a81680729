import type {LinkerChoice} from '../model/linker-choice.js';
import type {CollectLimits} from '../cache/collection.js';
import type {RemoteCache} from '../cache/remote/remote.js';
import type {JobSlots} from '../exec/job-slots.js';
import type {EventSink} from '../model/events.js';
import type {Repetition} from './repetition.js';

/** The modules to freeze: the union of everything selected, without what is excluded. */
export interface ModuleSelection {
  /** What the target imports for `-c pass`. */
  readonly startup: boolean;
  /** Arguments for the target, written as after `python` (`-c "import asyncio"`, `-m json.tool x`). */
  readonly traces: readonly string[];
  /** A traced program that ends with an error is an error of the build; otherwise a warning. */
  readonly strictTraces?: boolean;
  readonly modules: readonly string[];
  /** Packages with all their submodules. */
  readonly packages: readonly string[];
  /** Everything importable in the standard library. */
  readonly stdlib: boolean;
  /** Files besides modules and traced scripts that decide what is imported. Absolute. */
  readonly programFiles?: readonly string[];
  /** Globs over module names (`test.*`). */
  readonly exclude: readonly string[];
  /** Frozen modules take precedence over files that come earlier on `sys.path`; otherwise `sys.path` decides, as usual. */
  readonly frozenFirst: boolean;
  /** The garbage collector pauses while frozen modules are imported. */
  readonly restsCollector: boolean;
  /** Processes end without taking the interpreter apart. */
  readonly exitsFast: boolean;
  /** Regular expressions of traced programs are compiled at build time. */
  readonly preparesExpressions: boolean;
  /** So is the source text that they compile at run time. */
  readonly preparesSnippets: boolean;
}

/** The environment of every host and command. */
export interface HostContext {
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** The working directory: traced programs run in it. */
  readonly cwd: string;
  /** The user's environment: traced programs get all of it, other children declared variables only. */
  readonly userEnvironment: Readonly<Record<string, string | undefined>>;
  readonly cacheDir: string;
  /** Whether what other users wrote to the cache is used. */
  readonly trustCache?: boolean | undefined;
  /** Whether what is made from files that others may not read is given to others. */
  readonly sharePrivate?: boolean | undefined;
  /** The limits of the cache after builds. */
  readonly cacheLimits?: CollectLimits;
  /** The remote cache, for what the local cache lacks. */
  readonly remote?: RemoteCache | undefined;
  /** The limit of concurrent jobs. */
  readonly jobs: JobSlots;
  readonly force: boolean;
  readonly dryRun: boolean;
  /** Whether new images are compared with a fresh compile before they go into use. */
  readonly verify: boolean;
  /** The linker of new interpreters and libraries; the compiler's own without it. */
  readonly linker?: LinkerChoice | undefined;
  /** Whether each image is written as assembler text, too. */
  readonly assembler?: boolean;
  /** For one of several builds of a watch; by default a build is independent. */
  readonly repetition?: Repetition;
}

export interface SourceBuildOptions {
  /** The CPython source tree; never written to. */
  readonly source: string;
  /** The build directory: stage 1, images, journal. */
  readonly buildDir: string;
  /** The path of the new interpreter; by default beside stage 1. */
  readonly out: string | undefined;
  readonly configureArguments: readonly string[];
  readonly makeArguments: readonly string[];
  /** Link a position-independent executable. */
  readonly pie: boolean;
  /** Link extension modules that need no other library into the interpreter. */
  readonly builtinExtensions: boolean;
  /** Link it as a snapshot needs it: also with extension modules whose libraries have archives, and with its own allocator. */
  readonly forSnapshot?: boolean;
  /** Keep the debugging information of CPython's C. */
  readonly debugInfo: boolean;
  /** The C compiler, a command name or path; by default what configure finds. */
  readonly cc: string | undefined;
}

/** The Python that an interpreter with a snapshot is made of: one that is built from source, or an installed one that can be relinked. */
export type SnapshotBase =
  | ({readonly kind: 'source'} & Pick<SourceBuildOptions, 'source' | 'configureArguments' | 'makeArguments'>)
  | {
      readonly kind: 'installed';
      readonly python: string;
      /** As of `relink`; undefined leaves the choice to the build. */
      readonly method?: 'link' | 'graft' | undefined;
    };

/** An interpreter with a snapshot. */
export interface SnapshotOptions extends Pick<SourceBuildOptions, 'buildDir' | 'debugInfo' | 'cc'> {
  readonly base: SnapshotBase;
  /** The path of the new interpreter, by which it is called. Absolute. */
  readonly out: string;
  /** Whether there is a snapshot in it; otherwise it is the interpreter without one. */
  readonly snapshot: boolean;
  /** The program that the executable is: `MODULE:FUNCTION`, a module, or a script; undefined for an interpreter. */
  readonly entry?: string | undefined;
}

/** The common options of the hosts for installed Pythons. */
interface InstalledOptions {
  /** The Python: a path, or a name on PATH. */
  readonly python: string;
  /** The build directory; by default one in the cache. */
  readonly buildDir: string | undefined;
  /** The C compiler; by default the one that compiled the Python. */
  readonly cc: string | undefined;
}

export interface RelinkOptions extends InstalledOptions {
  /** The path of the new interpreter. Absolute. */
  readonly out: string;
  /** Link it position-independent. */
  readonly pie: boolean;
  /** Link it as a snapshot needs it: with its own allocator. */
  readonly forSnapshot?: boolean;
  /** Keep the debugging information of the archive. */
  readonly debugInfo: boolean;
}

export interface OverlayOptions extends InstalledOptions {
  /** The directory of the overlay. Absolute. */
  readonly out: string;
}
