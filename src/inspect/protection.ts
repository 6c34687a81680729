import {realpathSync} from 'node:fs';
import {z} from 'zod';
import {
  type ExecutableForm,
  readExecutableForm,
} from '../cpython/interpreter/installation/executable-form.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import {runProcess} from '../exec/process.js';
import type {HostContext} from '../pipeline/build-options.js';

/** A protection of an executable, in words, and that of the executable that it was made from. */
export interface Protection {
  readonly name: string;
  readonly found: string;
  /** Undefined if there is no other executable of this Python. */
  readonly original: string | undefined;
}

/** The executable that `make install` or `make` made, in the order of preference. */
const ORIGINALS = `
import json, os, sys, sysconfig
name = "python" + sysconfig.get_config_var("VERSION") + (sysconfig.get_config_var("ABIFLAGS") or "")
places = [os.path.join(sys.base_prefix, "bin"), sysconfig.get_config_var("BINDIR") or ""]
beside = os.path.join(os.path.dirname(os.path.realpath(sys.executable)), "python")
print(json.dumps(([beside] if sysconfig.is_python_build() else []) + [os.path.join(place, name) for place in places]))
`;

/** How the loader protects an executable, beside the one that it was made from. None for a file that is not ELF of 64 bits. */
export async function examineProtection(
  python: string,
  {userEnvironment, signal}: HostContext,
): Promise<readonly Protection[]> {
  const found = await readExecutableForm(python);
  if (found === undefined) return [];
  const environment = scrubbedEnvironment({}, userEnvironment);
  const args = ['-I', '-S', '-c', ORIGINALS];
  const asked = await runProcess({file: python, args, cwd: '/', environment, signal, timeoutMs: 30_000});
  const places = z.array(z.string()).safeParse(asked.ok ? parsed(asked.value.stdout) : undefined).data ?? [];
  const original = await firstForm(places.filter((path) => !isSame(path, python)));
  const names = ['position-independent', 'RELRO', 'NX', 'run path'] as const;
  const [ours, theirs] = [inWords(found), original && inWords(original)];
  return names.map((name, i) => ({name, found: ours[i] ?? '', original: theirs?.[i]}));
}

async function firstForm(paths: readonly string[]): Promise<ExecutableForm | undefined> {
  for (const path of paths) {
    const form = await readExecutableForm(path);
    if (form !== undefined) return form;
  }
  return undefined;
}

function inWords(form: ExecutableForm): readonly string[] {
  return [
    form.isPositionIndependent ? 'yes' : 'no, its addresses are fixed',
    form.relro,
    form.hasNoExecutableStack ? 'yes' : 'no, its stack is executable',
    form.runPath ?? 'none',
  ];
}

function isSame(path: string, other: string): boolean {
  try {
    return realpathSync(path) === realpathSync(other);
  } catch {
    return true;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
