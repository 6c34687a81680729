import {resolve} from 'node:path';
import {scriptPath} from '../../cpython/interpreter/scripts.js';
import {isFileSync} from '../../fs/recorded-fs.js';
import {fail, ok, type Result} from '../../model/result.js';
import {quoteForShell} from '../../model/shell-words.js';
import type {ModuleSelection} from '../../pipeline/build-options.js';

/** The program that an executable is (`--entry`). */
export type Entry =
  /** `MODULE:FUNCTION`, as an entry point of a package: `sys.exit(FUNCTION())`. */
  | {readonly kind: 'function'; readonly module: string; readonly attribute: string}
  /** `MODULE`, as `python -m MODULE`. */
  | {readonly kind: 'module'; readonly module: string}
  /** A file, as `python FILE`. */
  | {readonly kind: 'script'; readonly path: string};

const NAME = String.raw`[\p{ID_Start}_]\p{ID_Continue}*`;
const DOTTED = `${NAME}(?:\\.${NAME})*`;
const FUNCTION = new RegExp(`^(${DOTTED}):(${DOTTED})$`, 'u');
const MODULE = new RegExp(`^${DOTTED}$`, 'u');

/**
 * Reads the value of `--entry`. A file that is there is a script, whatever its name is; a path with a slash or `.py` at its end has to
 * be one. Fails with USAGE.
 */
export function parseEntry(text: string, cwd: string): Result<Entry> {
  const path = resolve(cwd, text);
  const [, module, attribute] = FUNCTION.exec(text) ?? [];
  if (module !== undefined && attribute !== undefined) return ok({kind: 'function', module, attribute});
  if (isFileSync(path)) return ok({kind: 'script', path});
  if (MODULE.test(text) && !text.endsWith('.py')) return ok({kind: 'module', module: text});
  const isPath = text.includes('/') || text.endsWith('.py');
  return fail('USAGE', isPath ? `no script ${path}` : `cannot read --entry ${text}`, {
    hint: 'expected MODULE:FUNCTION, MODULE, or the path of a script',
  });
}

/** The modules of a selection, and those that the program imports before it does anything. */
export function withEntry(selection: ModuleSelection, entry: Entry): ModuleSelection {
  return {
    ...selection,
    traces: [importsOf(entry), ...selection.traces],
    modules: [...selection.modules, ...(entry.kind === 'module' ? [entry.module] : [])],
    ...(entry.kind === 'script' ? {programFiles: [entry.path]} : {}),
  };
}

/** The arguments of an interpreter that imports what the program does, without running it. */
function importsOf(entry: Entry): string {
  switch (entry.kind) {
    case 'function':
      return quoteForShell(['-c', importOf(entry)]);
    case 'module':
      return quoteForShell([scriptPath('import_entry.py'), 'module', entry.module]);
    case 'script':
      return quoteForShell([scriptPath('import_entry.py'), 'script', entry.path]);
  }
}

/** The statement that imports the function of an entry. */
export function importOf({module, attribute}: Extract<Entry, {kind: 'function'}>): string {
  return `from ${module} import ${firstName(attribute)}`;
}

function firstName(attribute: string): string {
  return attribute.split('.', 1)[0] ?? attribute;
}

/** The module of a function, and those that CPython itself needs to run a program, besides what the program imports. */
export function modulesToRun(entry: Entry | undefined): readonly string[] {
  if (entry?.kind === 'module') return ['runpy'];
  // Python/pythonrun.c registers the text of a command in linecache.
  return entry?.kind === 'function' ? [entry.module, 'linecache'] : [];
}

/** Whether a module runs as `__main__`: it may not be imported under its own name before. */
export function isRunAsMain(module: string, entry: Entry | undefined): boolean {
  if (entry?.kind === 'function' && module === entry.module) return false;
  return /(^|\.)__main__$/.test(module) || (entry?.kind === 'module' && module === entry.module);
}

/** The start of a `ff_program_entry` (src/runtime/snapshot/place.c), and its fields. */
const MAGIC = Buffer.from('flashfreeze run\0', 'latin1');
const KINDS = {function: 1, module: 2, script: 3} as const;
const TEXT_SIZE = 4096;

/** What the interpreter is given to run. */
export function textOfEntry(entry: Entry): string {
  switch (entry.kind) {
    case 'function':
      return `import sys\n${importOf(entry)}\nsys.exit(${entry.attribute}())`;
    case 'module':
      return entry.module;
    case 'script':
      return entry.path;
  }
}

/** A program as an executable holds it. */
export interface Program {
  readonly kind: Entry['kind'];
  /** Its `sys.executable`: an interpreter with the same frozen modules. */
  readonly python: string;
  /** What is run: see `textOfEntry`. */
  readonly text: string;
}

/** The statement that imports the function of a program, and its module; undefined for a program of another kind. */
export function importOfProgram({
  kind,
  text,
}: Program): {readonly module: string; readonly statement: string} | undefined {
  const [, statement = ''] = text.split('\n');
  const module = /^from (\S+) import /.exec(statement)?.[1];
  return kind !== 'function' || module === undefined ? undefined : {module, statement};
}

/** The program that an executable is; undefined for an interpreter. */
export function readProgram(executable: Buffer): Program | undefined {
  const place = executable.indexOf(MAGIC);
  if (place < 0 || place + MAGIC.length + 8 + 2 * TEXT_SIZE > executable.length) return undefined;
  const at = place + MAGIC.length;
  const number = executable.readBigUInt64LE(at);
  const kind = (['function', 'module', 'script'] as const).find((name) => BigInt(KINDS[name]) === number);
  if (kind === undefined) return undefined;
  const [python = '', text = ''] = [at + 8, at + 8 + TEXT_SIZE].map((start) =>
    executable.toString('utf8', start, executable.indexOf(0, start)),
  );
  return {kind, python, text};
}

/**
 * An executable that is a program, whose `sys.executable` is `python`. Fails with SNAPSHOT when it has no room for one, and with USAGE
 * when a path is too long.
 */
export function writeEntry(executable: Buffer, entry: Entry, python: string): Result<Buffer> {
  const place = executable.indexOf(MAGIC);
  if (place < 0 || executable.includes(MAGIC, place + MAGIC.length)) {
    return fail('SNAPSHOT', 'the executable was not linked for a program');
  }
  const texts = [python, textOfEntry(entry)].map((text) => Buffer.from(text));
  if (texts.some(({length}) => length >= TEXT_SIZE)) {
    return fail('USAGE', `--entry is longer than ${TEXT_SIZE} bytes: ${textOfEntry(entry).slice(0, 80)}`);
  }
  const whole = Buffer.from(executable);
  let at = place + MAGIC.length;
  whole.writeBigUInt64LE(BigInt(KINDS[entry.kind]), at);
  at += 8;
  for (const text of texts) {
    whole.fill(0, at, at + TEXT_SIZE);
    text.copy(whole, at);
    at += TEXT_SIZE;
  }
  return ok(whole);
}
