import {LINKERS} from '../model/linker-choice.js';
import type {
  BuildOptions,
  CallOptions,
  FreezeOptions,
  OverlayOptions,
  RelinkOptions,
  SnapshotOptions,
  VerifyOptions,
} from './api-options.js';

/**
 * What an option holds. `path` is relative to the working directory; so is a `program` with a slash, others are names on
 * PATH; a `command` is a program with arguments, as a shell reads them; a `number` is whole and at least 1.
 */
/** What options may say that have a few values. */
export const CHOICES = {
  precedence: ['path', 'frozen-first'],
  method: ['link', 'graft'],
  linker: LINKERS,
} as const;

export type Kind =
  | keyof typeof CHOICES
  | 'path'
  | 'program'
  | 'command'
  | 'text'
  | 'list'
  | 'flag'
  | 'number'
  | 'environment'
  | 'signal'
  | 'callback';

/** The kind of each option. */
type Kinds<T> = Readonly<Record<keyof T, Kind>>;

const CALL: Kinds<CallOptions> = {
  cwd: 'path',
  environment: 'environment',
  signal: 'signal',
  onEvent: 'callback',
};

const FREEZE: Kinds<FreezeOptions> = {
  ...CALL,
  startup: 'flag',
  trace: 'list',
  strictTraces: 'flag',
  module: 'list',
  package: 'list',
  stdlib: 'flag',
  exclude: 'list',
  precedence: 'precedence',
  restCollector: 'flag',
  fastExit: 'flag',
  expressions: 'flag',
  snippets: 'flag',
  cc: 'command',
  cacheDir: 'path',
  trustCache: 'flag',
  sharePrivate: 'flag',
  cacheMaxSize: 'number',
  cacheMaxAge: 'number',
  remoteCache: 'text',
  remoteKey: 'path',
  remoteUpload: 'flag',
  remoteCa: 'path',
  remoteCertificate: 'path',
  remoteCertificateKey: 'path',
  jobs: 'number',
  force: 'flag',
  dryRun: 'flag',
  verify: 'flag',
};

const OVERLAY: Kinds<OverlayOptions> = {
  ...FREEZE,
  linker: 'linker',
  python: 'program',
  out: 'path',
  buildDir: 'path',
};

/** A function's options. */
export interface Declaration<T> {
  readonly kinds: Kinds<T>;
  readonly required: readonly (keyof T & string)[];
}

interface Declarations {
  readonly build: Declaration<BuildOptions>;
  readonly relink: Declaration<RelinkOptions>;
  readonly overlay: Declaration<OverlayOptions>;
  readonly snapshot: Declaration<SnapshotOptions>;
  readonly verify: Declaration<VerifyOptions>;
}

/** The options of each function, for checks at run time. */
export const DECLARATIONS: Declarations = {
  build: {
    kinds: {
      ...FREEZE,
      source: 'path',
      buildDir: 'path',
      out: 'path',
      configureArg: 'list',
      makeArg: 'list',
      linker: 'linker',
      pie: 'flag',
      builtinExtensions: 'flag',
      debugInfo: 'flag',
    },
    required: ['source', 'buildDir'],
  },
  relink: {
    kinds: {...OVERLAY, method: 'method', pie: 'flag', debugInfo: 'flag'},
    required: ['python', 'out'],
  },
  overlay: {kinds: OVERLAY, required: ['python', 'out']},
  snapshot: {
    kinds: {
      ...FREEZE,
      source: 'path',
      python: 'program',
      method: 'method',
      out: 'path',
      buildDir: 'path',
      entry: 'text',
      snapshot: 'flag',
      configureArg: 'list',
      makeArg: 'list',
      debugInfo: 'flag',
    },
    required: ['out'],
  },
  verify: {kinds: {...CALL, images: 'path', source: 'path', hashSeed: 'list'}, required: ['images']},
};
