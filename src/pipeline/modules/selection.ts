import {resolve} from 'node:path';
import {parsePythonCommand} from '../../cpython/interpreter/python-command.js';
import {type Trace, traceImports} from '../../cpython/interpreter/modules/program-trace.js';
import type {ModuleRecord} from '../../cpython/interpreter/modules/modules.js';
import {
  packageModules,
  resolveModules,
  stdlibModules,
} from '../../cpython/interpreter/modules/resolve-modules.js';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {isFileSync} from '../../fs/recorded-fs.js';
import {splitCommandLine} from '../../model/shell-words.js';
import {type Result, fail, ok} from '../../model/result.js';
import type {ModuleSelection} from '../build-options.js';

/** A glob over module names as a regular expression: `*` is any text, `?` any character. */
function globPattern(glob: string): RegExp {
  const escaped = glob.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** The result of a selection. */
export interface Selected {
  readonly modules: readonly ModuleRecord[];
  /** What the traced programs compile at run time, by kind. */
  readonly compiled: Trace['compiled'];
}

/**
 * The modules of a selection, each once, in the order of imports. Runs the target once for each trace.
 * Fails with USAGE for a trace that cannot be read, with NO_MODULE, DISCOVER or INTERRUPTED.
 */
export async function selectModules(
  interpreter: Interpreter,
  selection: ModuleSelection,
  cwd: string,
): Promise<Result<Selected>> {
  const found = new Map<string, ModuleRecord>();
  const compiled: Record<string, unknown[]> = {};
  const known = new Set<string>();
  const add = (records: readonly ModuleRecord[]): void => {
    for (const record of records) if (!found.has(record.name)) found.set(record.name, record);
  };
  const traces = [...(selection.startup ? [['-c', 'pass']] : []), ...selection.traces.map(splitCommandLine)];
  for (const argv of traces) {
    if (argv === undefined) return fail('USAGE', 'a --trace has an unclosed quote');
    const trace = await traceImports({...interpreter, argv, cwd});
    if (!trace.ok) return trace;
    add(trace.value.modules);
    for (const [kind, sources] of Object.entries(trace.value.compiled)) {
      const list = (compiled[kind] ??= []);
      for (const each of sources) {
        const key = JSON.stringify([kind, each]);
        if (!known.has(key)) list.push(each);
        known.add(key);
      }
    }
  }
  const listings = [
    ...(selection.modules.length > 0 ? [() => resolveModules(interpreter, selection.modules)] : []),
    ...selection.packages.map((name) => () => packageModules(interpreter, name)),
    ...(selection.stdlib ? [() => stdlibModules(interpreter)] : []),
  ];
  for (const list of listings) {
    const records = await list();
    if (!records.ok) return records;
    add(records.value);
  }
  const excluded = selection.exclude.map(globPattern);
  return ok({
    modules: [...found.values()].filter(({name}) => !excluded.some((pattern) => pattern.test(name))),
    compiled,
  });
}

/**
 * The files of the scripts that a selection runs: absolute paths. What they import is in no module's list of names. Of a directory
 * that is run, it is the module `__main__`; a missing one is reported when it is run.
 */
export function tracedScripts({traces}: Pick<ModuleSelection, 'traces'>, cwd: string): readonly string[] {
  const scripts = traces.flatMap((trace) => {
    const command = parsePythonCommand(splitCommandLine(trace) ?? []);
    return command.ok && command.value.program.kind === 'script' ? [command.value.program.path] : [];
  });
  const files = scripts.flatMap((path) => [resolve(cwd, path), resolve(cwd, path, '__main__.py')]);
  return [...new Set(files)].filter(isFileSync);
}
