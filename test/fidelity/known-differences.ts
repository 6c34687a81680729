/**
 * Everything in which a frozen interpreter may be told from the unmodified one by the cases. docs/guide.md tells users.
 */
import {isDeepStrictEqual} from 'node:util';
import type {Value} from './value.js';

export interface KnownDifference {
  /** The only way of freezing that has it; all, if not given. */
  readonly host?: 'overlay';
  /** The case, without `.py`. */
  readonly case: string;
  /** Which of its observations. */
  readonly what: RegExp;
  readonly reason: string;
  /** What has to be equal all the same. */
  readonly equalAs: (value: Value) => Value;
}

const IMPORTLIB = /<frozen importlib\._bootstrap(_external)?>/;

/** A value without what importlib's own frames add to it: lines of printed tracebacks, entries of lists of frames. */
function withoutImportlib(value: Value): Value {
  if (typeof value === 'string') {
    return value
      .split('\n')
      .filter((line) => !IMPORTLIB.test(line))
      .join('\n');
  }
  if (Array.isArray(value)) {
    return (value as readonly Value[])
      .filter((each) => !(Array.isArray(each) && typeof each[0] === 'string' && IMPORTLIB.test(each[0])))
      .map(withoutImportlib)
      .filter((each) => each !== '');
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutImportlib(each)]));
  }
  return value;
}

const HEADING = 'Traceback (most recent call last):\n';

/** The same for an exception that importlib handles: without a frame, it has no traceback. */
function withoutTracebacks(value: Value): Value {
  if (Array.isArray(value)) {
    return (withoutImportlib(value) as readonly Value[])
      .filter((each) => each !== HEADING)
      .map(withoutTracebacks);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutTracebacks(each)]));
  }
  return withoutImportlib(value);
}

const nothing = (): Value => null;

const FRAMES =
  'what is raised by importlib itself, or by a finder, has fewer of the frames of importlib in its traceback';

export const knownDifferences: readonly KnownDifference[] = [
  {case: 'errors', what: /\bdeleting(_parent\.child)?\b/, reason: FRAMES, equalAs: withoutImportlib},
  {case: 'probe', what: /^deleting(_parent\.child)?$/, reason: FRAMES, equalAs: withoutImportlib},
  {case: 'hooks', what: /^Failing /, reason: FRAMES, equalAs: withoutImportlib},
  {case: 'hooks', what: /^Nameless /, reason: FRAMES, equalAs: withoutTracebacks},
  {case: 'paths', what: /^(nul|bytes|none|__path__ number): /, reason: FRAMES, equalAs: withoutImportlib},
  {
    case: 'changes',
    what: /^(Entry|Legacy) .*: (import|from) [\w. ]+$|^module: (spec without a name|renamed to nothing)$/,
    reason: FRAMES,
    equalAs: withoutImportlib,
  },
  {
    case: 'changes',
    what: /^a cache tag that is /,
    reason:
      'the loader of a frozen module does not look for bytecode, so it asks for the cache tag once less',
    equalAs: withoutRepetitions,
  },
  {case: 'identities', what: /^without names: /, reason: FRAMES, equalAs: withoutImportlib},
  {case: 'endings', what: /^no path hook$/, reason: FRAMES, equalAs: withoutImportlib},
  {
    case: 'endings',
    what: /^closed parent/,
    reason: 'the warning about a parent that takes no attributes names the line that imports',
    equalAs: nothing,
  },
  {
    case: 'probe',
    what: /^importlib\._bootstrap$/,
    reason: 'some functions of importlib are written in C',
    equalAs: withoutTypesOfValues,
  },
  {
    host: 'overlay',
    case: 'bookkeeping',
    what: /./,
    reason: 'an overlay is a module, which was imported when the interpreter started',
    equalAs: withoutOverlay,
  },
  {
    host: 'overlay',
    case: 'endings',
    what: /^without site$/,
    reason: 'with -S, the folder of the start hook stays on sys.path',
    equalAs: withoutHook,
  },
];

/** What was asked, however often in a row. */
function withoutRepetitions(value: Value): Value {
  if (!Array.isArray(value)) return value;
  const entries = value as readonly Value[];
  return entries
    .filter((each, i) => i === 0 || !isDeepStrictEqual(each, entries[i - 1]))
    .map(withoutRepetitions);
}

/** The names of a module and their order stay to be compared. */
function withoutTypesOfValues(value: Value): Value {
  const facts = value as {readonly [key: string]: Value};
  return {...facts, values: Object.keys(facts['values'] ?? {}), functions: null, sources: null};
}

function withoutOverlay(value: Value): Value {
  if (!Array.isArray(value)) return value;
  return (value as readonly Value[]).filter((each) => each !== '_flashfreeze').map(withoutOverlay);
}

function withoutHook(value: Value): Value {
  return JSON.parse(JSON.stringify(value).replaceAll(/'[^']*\/overlay\/site', /g, '')) as Value;
}
