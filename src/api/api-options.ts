import type {LinkerChoice} from '../model/linker-choice.js';
import type {Event} from '../model/events.js';

/**
 * The part of an AbortSignal that is used here. An interface of its own, because a consumer may have neither the types of
 * Node.js nor those of the DOM.
 */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What every function takes. */
export interface CallOptions {
  /** Relative paths start here, and traced programs run here. By default `process.cwd()`. */
  readonly cwd?: string | undefined;
  /** The environment variables. By default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Stops the run when it is aborted; the result is then a failure with the code INTERRUPTED. */
  readonly signal?: AbortSignalLike | undefined;
  /** Is called for each event, in order. An error that it throws stops the run and rejects the promise. */
  readonly onEvent?: ((event: Event) => void) | undefined;
}

/** Which modules to freeze: the union of everything chosen, without what is excluded. */
export interface ModuleOptions {
  /** What the target imports for `-c pass`: the default when nothing else is chosen. */
  readonly startup?: boolean | undefined;
  /** Run the target with these arguments and freeze what it imports: `-c "import asyncio"`, `app.py --version`. */
  readonly trace?: readonly string[] | undefined;
  /** Fail with TRACE when a traced program ends with an error; otherwise, this is a warning. */
  readonly strictTraces?: boolean | undefined;
  /** Modules by name. */
  readonly module?: readonly string[] | undefined;
  /** Packages with all their submodules. */
  readonly package?: readonly string[] | undefined;
  /** Everything importable in the standard library. */
  readonly stdlib?: boolean | undefined;
  /** Globs over module names, such as `test.*`. */
  readonly exclude?: readonly string[] | undefined;
  /** `path` (the default): sys.path decides; `frozen-first`: a frozen module takes precedence over files that come earlier on it. */
  readonly precedence?: 'path' | 'frozen-first' | undefined;
  /** Pause the garbage collector while frozen modules are imported. */
  readonly restCollector?: boolean | undefined;
  /** End processes, once files are written, without taking the interpreter apart. */
  readonly fastExit?: boolean | undefined;
  /** Compile the regular expressions of traced programs in advance. By default true. */
  readonly expressions?: boolean | undefined;
  /** Compile the source text that traced programs give to compile(), eval() and exec() in advance. By default true. */
  readonly snippets?: boolean | undefined;
}

interface LinkerOptions {
  /** The linker; `auto` is the fastest that is there. By default the compiler's own. */
  readonly linker?: LinkerChoice | undefined;
}

/** What `build`, `relink` and `overlay` have in common. */
export interface FreezeOptions extends CallOptions, ModuleOptions {
  /** The C compiler: a path, or a name on PATH. By default the one that the Python is or was built with. */
  readonly cc?: string | undefined;
  /** The build cache. By default as for the command line: docs/caching.md. */
  readonly cacheDir?: string | undefined;
  /** Use what other users wrote to the cache or the build directory: they decide what runs. */
  readonly trustCache?: boolean | undefined;
  /** Give others what is made from files that they may not read: in uploads, shared caches and the mode of the result. */
  readonly sharePrivate?: boolean | undefined;
  /** The maximum size of the cache after a build, in megabytes. By default 2000. */
  readonly cacheMaxSize?: number | undefined;
  /** How many days a build keeps unused results in the cache. By default 30. */
  readonly cacheMaxAge?: number | undefined;
  /** The URL of a remote cache. */
  readonly remoteCache?: string | undefined;
  /** A file with the key that its results are signed with. */
  readonly remoteKey?: string | undefined;
  /** Upload what is built here. */
  readonly remoteUpload?: boolean | undefined;
  /** Certificates of the authorities that a server with `grpcs` may have its certificate from. */
  readonly remoteCa?: string | undefined;
  /** The certificate to show to such a server, and its private key. */
  readonly remoteCertificate?: string | undefined;
  readonly remoteCertificateKey?: string | undefined;
  /** How many actions run at once. By default what make's jobserver grants, or one for each CPU. */
  readonly jobs?: number | undefined;
  /** Run every action, also those that are up to date. */
  readonly force?: boolean | undefined;
  /** Only emit what would be done. */
  readonly dryRun?: boolean | undefined;
  /** Compare new images with a fresh compile before they replace others. By default true. */
  readonly verify?: boolean | undefined;
}

/** Options of `build`. */
export interface BuildOptions extends FreezeOptions, LinkerOptions {
  /** The CPython source tree; never written to. */
  readonly source: string;
  /** The directory for stage 1, the images and the state of the build. */
  readonly buildDir: string;
  /** The path of the new interpreter. By default beside stage 1. */
  readonly out?: string | undefined;
  /** Arguments for CPython's configure. */
  readonly configureArg?: readonly string[] | undefined;
  /** Arguments for CPython's make. */
  readonly makeArg?: readonly string[] | undefined;
  /** Link a position-independent executable. */
  readonly pie?: boolean | undefined;
  /** Link extension modules into the interpreter that need no further library (3.11 and later). */
  readonly builtinExtensions?: boolean | undefined;
  /** Link the debugging information of CPython's C, too. */
  readonly debugInfo?: boolean | undefined;
}

/** Options of `snapshot`. */
export interface SnapshotOptions extends FreezeOptions {
  /** The CPython source tree; never written to. Either this or `python`. */
  readonly source?: string | undefined;
  /** An installed Python that can be relinked: a path, or a name on PATH. Never written to. */
  readonly python?: string | undefined;
  /**
   * How an installed Python is linked. `link`: with its static archive; `graft`: its executable, as one object. By default link where the archive can be linked,
   * else graft.
   */
  readonly method?: 'link' | 'graft' | undefined;
  /** The path of the new executable. */
  readonly out: string;
  /** The directory for stage 1, the images and the state of the build. By default one in the cache. */
  readonly buildDir?: string | undefined;
  /** The program that the executable is: `MODULE:FUNCTION`, a module, or the path of a script. By default it is an interpreter. */
  readonly entry?: string | undefined;
  /** Whether there is a snapshot in it. By default true. */
  readonly snapshot?: boolean | undefined;
  /** Arguments for CPython's configure. */
  readonly configureArg?: readonly string[] | undefined;
  /** Arguments for CPython's make. */
  readonly makeArg?: readonly string[] | undefined;
  /** Link the debugging information of CPython's C, too. */
  readonly debugInfo?: boolean | undefined;
}

/** Options of `overlay`. */
export interface OverlayOptions extends FreezeOptions, LinkerOptions {
  /** The installed Python: a path, or a name on PATH. Never written to. */
  readonly python: string;
  /** The directory for the overlay. */
  readonly out: string;
  /** The directory for the images and the state of the build. By default one in the cache. */
  readonly buildDir?: string | undefined;
}

/** Options of `relink`. */
export interface RelinkOptions extends FreezeOptions, LinkerOptions {
  /** The installed Python: a path, or a name on PATH. Never written to. */
  readonly python: string;
  /** The path of the new interpreter. */
  readonly out: string;
  /** The directory for the images and the state of the build. By default one in the cache. */
  readonly buildDir?: string | undefined;
  /**
   * `link`: with the static archive; `graft`: a copy of the executable, which needs a library of images. By default link
   * where the archive can be linked, else graft.
   */
  readonly method?: 'link' | 'graft' | undefined;
  /** Link a position-independent executable. */
  readonly pie?: boolean | undefined;
  /** Link the debugging information of CPython's C, too. */
  readonly debugInfo?: boolean | undefined;
}

/** Options of `verify`. */
export interface VerifyOptions extends CallOptions {
  /** The frozen interpreter. */
  readonly images: string;
  /** CPython's source tree, for sources that are not installed. */
  readonly source?: string | undefined;
  /** Values of PYTHONHASHSEED for the fresh compiles. By default `0`, `1` and `random`. */
  readonly hashSeed?: readonly string[] | undefined;
}
