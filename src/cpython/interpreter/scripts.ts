import {join} from 'node:path';
import {SCRIPTS_FOLDER} from '../../fs/package-files.js';

/** The files of `src/cpython/interpreter/scripts`: what runs inside a target. */
export type ScriptName =
  | 'describe_target.py'
  | 'examine_executable.py'
  | 'fix_addresses.py'
  | 'compile_expressions.py'
  | 'describe_installation.py'
  | 'import_entry.py'
  | 'locate_words.py'
  | 'prepare_dump.py'
  | 'record_imports.py'
  | 'measure_runs.py'
  | 'precompile.py'
  | 'resolve_modules.py'
  | 'compile_snippets.py'
  | 'trace_imports.py'
  | 'try_images.py'
  | 'verify_images.py'
  | 'describe_site.py'
  | 'compile_modules.py';

const REQUEST_FILES = 'request_files.py';
const TOKENS = 'kept_tokens.py';
/** PARTS of record_imports.py. */
const RECORDING = ['record_files.py', 'record_functions.py', 'record_arguments.py', 'record_state.py'];
const COMPARISON = ['exact_constants.py', 'image_comparison.py', 'marshal_graph.py'];

/** What scripts import from their own directory, and what that imports. */
const HELPERS: Partial<Readonly<Record<ScriptName, readonly string[]>>> = {
  'compile_modules.py': ['reproducible_marshal.py'],
  'compile_expressions.py': ['prepared_sources.py', REQUEST_FILES],
  'compile_snippets.py': ['prepared_sources.py', 'reproducible_marshal.py', REQUEST_FILES],
  'describe_site.py': [REQUEST_FILES],
  'describe_installation.py': [REQUEST_FILES],
  'fix_addresses.py': [REQUEST_FILES],
  'measure_runs.py': [REQUEST_FILES],
  'precompile.py': [REQUEST_FILES],
  'prepare_dump.py': [TOKENS],
  'record_imports.py': [TOKENS, ...RECORDING],
  'resolve_modules.py': [REQUEST_FILES],
  'try_images.py': COMPARISON,
  'verify_images.py': [...COMPARISON, REQUEST_FILES],
};

/** All files that decide what scripts do: themselves, and what they load from beside them. */
export function scriptFiles(
  ...scripts: readonly ScriptName[]
): readonly {readonly name: string; readonly path: string}[] {
  const names = new Set<string>(scripts.flatMap((script) => [script, ...(HELPERS[script] ?? [])]));
  return [...names].map((name) => ({name, path: join(SCRIPTS_FOLDER, name)}));
}

/** The absolute path of a script. The scripts are not compiled, so they stay in `src/` of the package. */
export function scriptPath(name: ScriptName): string {
  return join(SCRIPTS_FOLDER, name);
}
