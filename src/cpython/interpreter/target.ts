import {join} from 'node:path';
import {z} from 'zod';
import {fail, ok, type Result} from '../../model/result.js';
import {runScript, type Interpreter} from './run-script.js';
import {parseVersion, type PythonVersion} from './version.js';

/** A row of the tables of frozen modules that a Python has built in (Python/frozen.c). */
export interface FrozenRow {
  /** What is imported, such as `os.path`. */
  readonly name: string;
  readonly isPackage: boolean;
  /** The module whose code it is, by the name in its co_filename: `posixpath` for `os.path`. Several rows may share one. */
  readonly origin: string;
  /** Where the source of that code lies: below the standard library, or below the source tree. */
  readonly source: {readonly root: 'stdlib' | 'source-tree'; readonly path: string};
}

/** The facts about a Python that is to get frozen modules. */
export interface Target {
  readonly version: PythonVersion;
  /** `sys.version`: names this very build. */
  readonly sysVersion: string;
  readonly implementation: string;
  /** The number at the start of its `.pyc` files: 4 bytes in hexadecimal. */
  readonly magic: string;
  /** Such as `cpython-313`; null when it writes no `.pyc` files at all. */
  readonly cacheTag: string | null;
  readonly abiflags: string;
  /** The directory of the standard library. */
  readonly stdlib: string;
  readonly prefix: string;
  readonly basePrefix: string;
  readonly executable: string;
  /** Py_DEBUG, Py_REF_DEBUG or Py_TRACE_REFS. */
  readonly debug: boolean;
  /** Py_GIL_DISABLED. */
  readonly freeThreaded: boolean;
  /** Py_ENABLE_SHARED: the interpreter is in a libpython of its own. */
  readonly shared: boolean;
  /** Such as `.cpython-313-x86_64-linux-gnu.so`. */
  readonly extensionSuffix: string;
  readonly path: readonly string[];
  readonly builtinModules: readonly string[];
  /** In the interpreter's own order. Of 3.10, which does not tell, those that every start needs. */
  readonly frozen: readonly FrozenRow[];
}

const answer = z.object({
  sysVersion: z.string(),
  implementation: z.string(),
  magic: z.string().regex(/^[0-9a-f]{8}$/),
  cacheTag: z.string().nullable(),
  abiflags: z.string(),
  stdlib: z.string(),
  prefix: z.string(),
  basePrefix: z.string(),
  executable: z.string(),
  debug: z.boolean(),
  freeThreaded: z.boolean(),
  shared: z.boolean(),
  extensionSuffix: z.string(),
  path: z.array(z.string()),
  builtinModules: z.array(z.string()),
  frozen: z.array(
    z.object({name: z.string(), isPackage: z.boolean(), origin: z.string(), packageSource: z.boolean()}),
  ),
});

/** A `Target` as serialised. */
export const targetSchema: z.ZodType<Target> = answer.extend({
  version: z.object({
    major: z.number(),
    minor: z.number(),
    micro: z.number(),
    text: z.string(),
    series: z.string(),
    hex: z.number(),
  }),
  frozen: z.array(
    z.object({
      name: z.string(),
      isPackage: z.boolean(),
      origin: z.string(),
      source: z.object({root: z.enum(['stdlib', 'source-tree']), path: z.string()}),
    }),
  ),
});

/** The one frozen module whose source is not in Lib (FROZEN in Tools/build/freeze_modules.py). */
const FLAG = {origin: 'frozen_only', path: 'Tools/freeze/flag.py'};

/** Runs a Python once and describes it. Fails with PYTHON when it cannot be run, or is not CPython. */
export async function describeTarget(interpreter: Interpreter): Promise<Result<Target>> {
  const run = await runScript(interpreter, 'describe_target.py', {
    // Debug builds do not use their frozen modules by default.
    flags: ['-X', 'frozen_modules=on'],
    schema: answer,
    code: 'PYTHON',
  });
  if (!run.ok) return run;
  const {frozen, ...rest} = run.value;
  const versionText = rest.sysVersion.split(/\s/)[0] ?? '';
  const version = parseVersion(versionText);
  if (!version || rest.implementation !== 'cpython') {
    return fail('PYTHON', `${interpreter.python} is ${rest.implementation} ${versionText}, not CPython`);
  }
  const rows = frozen.map(({packageSource, ...row}): FrozenRow => {
    if (row.origin === FLAG.origin) return {...row, source: {root: 'source-tree', path: FLAG.path}};
    const path = join(...row.origin.split('.')) + (packageSource ? '/__init__.py' : '.py');
    return {...row, source: {root: 'stdlib', path}};
  });
  return ok({...rest, version, frozen: rows});
}
