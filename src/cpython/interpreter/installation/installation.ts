import {join} from 'node:path';
import {z} from 'zod';
import {realpath} from '../../../fs/recorded-fs.js';
import {ok, type Result} from '../../../model/result.js';
import {runScript, type Interpreter} from '../run-script.js';
import {describeTarget, type Target, targetSchema} from '../target.js';

/** What compiling and linking like CPython did needs to know, from sysconfig. */
const SYSCONFIG_VARIABLES = [
  'CC',
  'LINKCC',
  'PY_CORE_CFLAGS',
  'PY_CORE_LDFLAGS',
  'LINKFORSHARED',
  'LIBS',
  'MODLIBS',
  'SYSLIBS',
  'LIBPL',
  'LIBRARY',
] as const;
export type SysconfigVariables = Readonly<Record<(typeof SYSCONFIG_VARIABLES)[number], string>>;

/** An installed Python. */
export interface Installation {
  readonly target: Target;
  readonly variables: SysconfigVariables;
  /** Directories of headers, Python.h's first. */
  readonly headers: readonly string[];
  /** The base Python of a virtual environment; otherwise the Python itself. */
  readonly baseExecutable: string;
  /** The shared library that holds the interpreter; null when the executable does. */
  readonly libpython: string | null;
  /** The frozen modules whose code is what their source in the standard library compiles to. */
  readonly reproducible: readonly string[];
  /** The files that this was computed from: it is valid as long as they do not change. */
  readonly files: readonly string[];
}

const variables = z.object(
  Object.fromEntries(SYSCONFIG_VARIABLES.map((name) => [name, z.string()])) as Record<
    (typeof SYSCONFIG_VARIABLES)[number],
    z.ZodString
  >,
);
const answer = z.object({
  variables,
  headers: z.array(z.string()),
  baseExecutable: z.string(),
  libpython: z.string().nullable(),
  reproducible: z.array(z.string()),
  files: z.array(z.string()),
});

/** An `Installation` as serialised. */
export const installationSchema: z.ZodType<Installation> = answer.extend({target: targetSchema});

/** Asks an installed Python for all that a link with it needs. Fails with PYTHON. */
export async function describeInstallation(interpreter: Interpreter): Promise<Result<Installation>> {
  const target = await describeTarget(interpreter);
  if (!target.ok) return target;
  const {frozen, stdlib, executable} = target.value;
  const sources = frozen
    .filter(({source}) => source.root === 'stdlib')
    .map(({name, source}) => [name, join(stdlib, source.path)] as const);
  // The given path may be a script that selects a Python (pyenv's shims): from here on, use that Python.
  const real = {...interpreter, python: executable};
  const told = await runScript(real, 'describe_installation.py', {
    flags: ['-s', '-X', 'frozen_modules=on'],
    input: JSON.stringify({frozen: Object.fromEntries(sources), variables: SYSCONFIG_VARIABLES}),
    schema: answer,
    code: 'PYTHON',
  });
  return told.ok ? ok({target: target.value, ...told.value}) : told;
}

/** Whether a path leads to the executable itself, not to a script that selects one each time. */
export async function isExecutableOf(path: string, target: Target): Promise<boolean> {
  const [given, running] = await Promise.all(
    [path, target.executable].map((each) => realpath(each).catch(() => undefined)),
  );
  return given !== undefined && given === running;
}
