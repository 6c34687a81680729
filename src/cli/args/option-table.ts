import {LINKERS} from '../../model/linker-choice.js';

/**
 * What an option holds. `path` is a file or directory; `program` a path when it has a slash, else a name on PATH; `command`
 * a program with arguments, as a shell reads it; `number` a whole one, at least 1.
 */
export type OptionKind = 'flag' | 'text' | 'path' | 'program' | 'command' | 'number';

export interface OptionSpec {
  readonly kind: OptionKind;
  /** May be given more than once; its value is a list. */
  readonly many?: boolean;
  /** The only values that it may have. */
  readonly choices?: readonly string[];
  /** Its values may begin with a dash: the next word is always its value. */
  readonly free?: boolean;
  readonly describe: string;
  /** The name of its value in the help. */
  readonly value?: string;
  /** Whether a configuration file may hold it, in camelCase. */
  readonly configurable?: boolean;
}

const SELECTION = {
  startup: {
    kind: 'flag',
    configurable: true,
    describe: 'freeze what the target imports for -c pass (the default)',
  },
  trace: {
    kind: 'text',
    many: true,
    free: true,
    configurable: true,
    value: "'ARGS'",
    describe: 'run the target with these arguments and freeze what it imports',
  },
  'strict-traces': {
    kind: 'flag',
    configurable: true,
    describe: 'fail when a traced program ends with an error (otherwise, this is a warning)',
  },
  module: {kind: 'text', many: true, configurable: true, value: 'NAME', describe: 'freeze this module'},
  package: {
    kind: 'text',
    many: true,
    configurable: true,
    value: 'NAME',
    describe: 'freeze this package with all its submodules',
  },
  stdlib: {
    kind: 'flag',
    configurable: true,
    describe: 'freeze everything importable in the standard library',
  },
  exclude: {
    kind: 'text',
    many: true,
    configurable: true,
    value: 'GLOB',
    describe: 'do not freeze modules with a matching name',
  },
  precedence: {
    kind: 'text',
    choices: ['path', 'frozen-first'],
    configurable: true,
    value: 'RULE',
    describe:
      'path: sys.path decides, as usual; frozen-first: a frozen module takes precedence over files that come earlier on it',
  },
  'rest-collector': {
    kind: 'flag',
    configurable: true,
    describe: 'pause the garbage collector while frozen modules are imported (up to 3.13)',
  },
  'fast-exit': {
    kind: 'flag',
    configurable: true,
    describe:
      'end processes, once files are written, without taking the interpreter apart; no __del__ of the program runs then',
  },
  expressions: {
    kind: 'flag',
    configurable: true,
    describe: 'compile the regular expressions of traced programs at build time (the default)',
  },
  snippets: {
    kind: 'flag',
    configurable: true,
    describe:
      'compile the source text that traced programs pass to compile(), eval() and exec() at build time (the default)',
  },
} as const satisfies Record<string, OptionSpec>;

const PLACES = {
  source: {
    kind: 'path',
    configurable: true,
    value: 'DIR',
    describe: 'the CPython source tree (never written to)',
  },
  'build-dir': {
    kind: 'path',
    configurable: true,
    value: 'DIR',
    describe: 'the directory for stage 1, the images and the state of the build',
  },
  out: {
    kind: 'path',
    configurable: true,
    value: 'PATH',
    describe: 'the path of the result (for build, by default beside stage 1)',
  },
  'configure-arg': {
    kind: 'text',
    many: true,
    free: true,
    configurable: true,
    value: 'ARG',
    describe: "pass this argument to CPython's configure",
  },
  'make-arg': {
    kind: 'text',
    many: true,
    free: true,
    configurable: true,
    value: 'ARG',
    describe: "pass this argument to CPython's make",
  },
  cc: {kind: 'command', configurable: true, value: 'CC', describe: 'the C compiler'},
  pie: {
    kind: 'flag',
    configurable: true,
    describe:
      'link a position-independent executable (by default, addresses are fixed, so ASLR does not move the executable)',
  },
  'builtin-extensions': {
    kind: 'flag',
    configurable: true,
    describe: 'link extension modules that need no other library into the interpreter (3.11 and later)',
  },
  'debug-info': {
    kind: 'flag',
    configurable: true,
    describe: "keep the debugging information of CPython's C (stage 1 always has it)",
  },
} as const satisfies Record<string, OptionSpec>;

const INSTALLED = {
  python: {
    kind: 'program',
    configurable: true,
    value: 'EXE',
    describe: 'the installed Python (never written to)',
  },
} as const satisfies Record<string, OptionSpec>;

const LINK = {
  linker: {
    kind: 'text',
    choices: LINKERS,
    configurable: true,
    value: 'NAME',
    describe:
      "the linker of the new interpreter; auto: the fastest that is there, for development (default: the compiler's own)",
  },
} as const satisfies Record<string, OptionSpec>;

const RELINK = {
  method: {
    kind: 'text',
    choices: ['link', 'graft'],
    configurable: true,
    value: 'METHOD',
    describe:
      'link the static archive, or graft the images onto a copy of the executable; with snapshot, link that as one object (default: link where the archive can be linked, else graft)',
  },
} as const satisfies Record<string, OptionSpec>;

const REGEN = {
  assembler: {
    kind: 'flag',
    configurable: true,
    describe: 'also write each image as assembler text, beside its object file',
  },
} as const satisfies Record<string, OptionSpec>;

const SNAPSHOT = {
  snapshot: {
    kind: 'flag',
    configurable: true,
    describe:
      'put a snapshot into the executable (the default; --snapshot=false: do not); with try: measure one, too',
  },
  entry: {
    kind: 'text',
    configurable: true,
    value: 'ENTRY',
    describe:
      'make the executable a program: MODULE:FUNCTION, MODULE (as python -m), or the path of a script',
  },
} as const satisfies Record<string, OptionSpec>;

const BENCH = {
  command: {
    kind: 'text',
    many: true,
    free: true,
    configurable: true,
    value: "'ARGS'",
    describe: 'what to run, written as after python',
  },
  runs: {kind: 'number', configurable: true, value: 'N', describe: 'how often to run each command'},
  instructions: {
    kind: 'flag',
    configurable: true,
    describe: 'also count instructions (requires valgrind, takes longer)',
  },
  condition: {
    kind: 'text',
    many: true,
    choices: ['no-bytecode', 'cold'],
    configurable: true,
    value: 'NAME',
    describe: 'also measure starts without .pyc files (no-bytecode), or with a cold page cache (cold)',
  },
} as const satisfies Record<string, OptionSpec>;

const VERIFY = {
  images: {kind: 'path', value: 'EXE', describe: 'the frozen interpreter'},
  'hash-seed': {
    kind: 'text',
    many: true,
    configurable: true,
    value: 'SEED',
    describe: 'compile with this PYTHONHASHSEED for the comparison',
  },
  twice: {
    kind: 'flag',
    describe: 'build a release twice, under conditions that differ as much as possible, and compare',
  },
  'allowed-signers': {
    kind: 'path',
    configurable: true,
    value: 'FILE',
    describe: 'require a signature by one of these (allowed signers of SSH, or a public key of minisign)',
  },
  'manifest-only': {
    kind: 'flag',
    describe: 'check the manifest of a release without its archive',
  },
} as const satisfies Record<string, OptionSpec>;

const RELEASE = {
  'snapshot-at': {
    kind: 'text',
    configurable: true,
    value: 'DIR',
    describe: 'put a snapshot into the interpreter of the release, for those who unpack it at this path',
  },
  profile: {
    kind: 'path',
    configurable: true,
    value: 'FILE',
    describe:
      'optimise CPython with this recorded profile (implies --enable-optimizations, without training)',
  },
  'record-profile': {
    kind: 'path',
    value: 'FILE',
    describe: "record a profile with CPython's own training first, and use it",
  },
  sign: {
    kind: 'path',
    configurable: true,
    value: 'KEY',
    describe: 'sign the manifest with this key of SSH or minisign',
  },
} as const satisfies Record<string, OptionSpec>;

const CHECK = {
  verify: {
    kind: 'flag',
    configurable: true,
    describe:
      'compare new images with a fresh compile before they replace others (the default; --verify=false: do not)',
  },
} as const satisfies Record<string, OptionSpec>;

const WATCH = {
  exec: {
    kind: 'text',
    free: true,
    configurable: true,
    value: "'CMD'",
    describe: 'run this shell command after each successful build; the next build ends it',
  },
  poll: {
    kind: 'flag',
    configurable: true,
    describe: 'poll files, for file systems that do not report changes',
  },
} as const satisfies Record<string, OptionSpec>;

const DEMO = {
  dir: {
    kind: 'path',
    value: 'DIR',
    describe: 'the directory for what the demo builds (default: in the cache directory)',
  },
} as const satisfies Record<string, OptionSpec>;

const GARBAGE = {
  'max-size': {kind: 'number', value: 'MB', describe: 'the maximum size of the cache, in megabytes'},
  'max-age': {
    kind: 'number',
    value: 'DAYS',
    describe: 'remove results that were not used for this many days',
  },
} as const satisfies Record<string, OptionSpec>;

const COMMON = {
  config: {
    kind: 'path',
    value: 'FILE',
    describe:
      'the configuration file (default: the nearest flashfreeze.config.json, here or in a parent directory)',
  },
  'cache-dir': {
    kind: 'path',
    configurable: true,
    value: 'DIR',
    describe: 'the directory of the build cache',
  },
  'trust-cache': {
    kind: 'flag',
    configurable: true,
    describe: 'use what other users wrote to the cache or the build directory: they decide what you run',
  },
  'share-private': {
    kind: 'flag',
    configurable: true,
    describe:
      'give others what is made from files that they may not read: in uploads, shared caches and the mode of the result',
  },
  'cache-max-size': {
    kind: 'number',
    configurable: true,
    value: 'MB',
    describe: 'the maximum size of the cache after a build, in megabytes (default: 2000)',
  },
  'cache-max-age': {
    kind: 'number',
    configurable: true,
    value: 'DAYS',
    describe: 'how many days a build keeps unused results in the cache (default: 30)',
  },
  'remote-cache': {
    kind: 'text',
    configurable: true,
    value: 'URL',
    describe: "a remote cache: http(s) for Bazel's HTTP protocol, grpc(s) for the Remote Execution API",
  },
  'remote-key': {
    kind: 'path',
    configurable: true,
    value: 'FILE',
    describe: 'the key for signatures in the remote cache (default: FLASHFREEZE_CACHE_KEY)',
  },
  'remote-ca': {
    kind: 'path',
    configurable: true,
    value: 'FILE',
    describe: 'certificates of the authorities that a remote cache with grpcs may have its certificate from',
  },
  'remote-certificate': {
    kind: 'path',
    configurable: true,
    value: 'FILE',
    describe: 'the certificate to show to a remote cache with grpcs',
  },
  'remote-certificate-key': {
    kind: 'path',
    configurable: true,
    value: 'FILE',
    describe: 'the private key of that certificate',
  },
  'remote-upload': {kind: 'flag', describe: 'upload results to the remote cache'},
  jobs: {
    kind: 'number',
    configurable: true,
    value: 'N',
    describe: 'how many actions run at once (default: what make -j allows, or one for each CPU)',
  },
  'dry-run': {kind: 'flag', describe: 'print what would be done, and do nothing'},
  force: {kind: 'flag', describe: 'execute every action, even if it is up to date'},
  'trace-file': {
    kind: 'path',
    value: 'FILE',
    describe: 'write a trace of the run, for Perfetto or chrome://tracing',
  },
  report: {kind: 'path', value: 'FILE', describe: 'write a report on the run, as one HTML file'},
  json: {kind: 'flag', describe: 'print one JSON object per line on stdout, and text on stderr'},
  quiet: {kind: 'flag', describe: 'print only errors'},
  verbose: {kind: 'flag', describe: 'also print what was up to date, and the output of tools'},
} as const satisfies Record<string, OptionSpec>;

/** Every option of every command, by its name on the command line. */
export const OPTIONS = {
  ...SELECTION,
  ...PLACES,
  ...INSTALLED,
  ...LINK,
  ...RELINK,
  ...REGEN,
  ...SNAPSHOT,
  ...BENCH,
  ...VERIFY,
  ...RELEASE,
  ...CHECK,
  ...WATCH,
  ...DEMO,
  ...GARBAGE,
  ...COMMON,
};
export type OptionName = keyof typeof OPTIONS;

/** The groups of options that commands use. */
export const SELECTION_OPTIONS = Object.keys(SELECTION) as readonly OptionName[];
export const PLACE_OPTIONS = Object.keys(PLACES) as readonly OptionName[];
/** Of the hosts for installed Pythons. */
export const INSTALLED_OPTIONS: readonly OptionName[] = ['python', 'out', 'build-dir', 'cc'];
export const SNAPSHOT_OPTIONS = Object.keys(SNAPSHOT) as readonly OptionName[];
export const BENCH_OPTIONS = Object.keys(BENCH) as readonly OptionName[];
export const VERIFY_OPTIONS = Object.keys(VERIFY) as readonly OptionName[];
export const RELEASE_OPTIONS = Object.keys(RELEASE) as readonly OptionName[];
export const WATCH_OPTIONS = Object.keys(WATCH) as readonly OptionName[];
/** Here `python` is a release or series, such as `3.13`. */
export const DEMO_OPTIONS: readonly OptionName[] = [...(Object.keys(DEMO) as OptionName[]), 'python'];
export const GARBAGE_OPTIONS = Object.keys(GARBAGE) as readonly OptionName[];
export const COMMON_OPTIONS = Object.keys(COMMON) as readonly OptionName[];

/** Whether a run starts what the value names. */
export function namesProgram({kind}: OptionSpec): boolean {
  return kind === 'program' || kind === 'command';
}

export function optionSpec(name: OptionName): OptionSpec {
  return OPTIONS[name];
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

/** The value that an option has, by its declaration. */
type ValueOf<S extends OptionSpec> = S['kind'] extends 'flag'
  ? boolean
  : S extends {readonly many: true}
    ? readonly string[]
    : S['kind'] extends 'number'
      ? number
      : string;

/** The given options by name. Paths are absolute. */
export type OptionValues = {readonly [N in OptionName]?: ValueOf<(typeof OPTIONS)[N]>};

/** The heading of an option in the help. */
export function optionGroup(name: OptionName): string {
  if (name in COMMON) return 'Common options:';
  return name in SELECTION ? 'Modules to freeze:' : 'Options:';
}

/** `build-dir` -> `buildDir`: the name in a configuration file. */
export function configName(name: OptionName): string {
  return name.replace(/-./g, (match) => match.slice(1).toUpperCase());
}
