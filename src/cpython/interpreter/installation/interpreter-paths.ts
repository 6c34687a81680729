import {dirname, join, relative} from 'node:path';
import {z} from 'zod';
import {realpath} from '../../../fs/recorded-fs.js';
import {askProcess} from '../answers.js';
import {fail, ok, type Result} from '../../../model/result.js';
import type {Installation} from './installation.js';
import {NO_BYTECODE, parseJson, type Interpreter} from '../run-script.js';

/** The paths that an interpreter computes when it starts (Modules/getpath.py, Lib/site.py). */
const interpreterPaths = z.object({
  prefix: z.string(),
  exec_prefix: z.string(),
  base_prefix: z.string(),
  base_exec_prefix: z.string(),
  stdlib: z.string(),
  path: z.array(z.string()),
});
export type InterpreterPaths = z.infer<typeof interpreterPaths>;

const QUESTION = `
import sys, os
names = ('prefix', 'exec_prefix', 'base_prefix', 'base_exec_prefix', 'path')
found = {name: getattr(sys, name) for name in names}
found['stdlib'] = getattr(sys, '_stdlib_dir', None) or os.path.dirname(os.__file__)
import json
with open(sys.argv[1], 'w') as file:
    json.dump(found, file)
`;

/**
 * Whether a newly linked interpreter computes the same paths as the original: prefixes, standard library and
 * sys.path. If the original is a virtual environment, the paths may be those of its base Python.
 * Fails with SMOKE.
 */
export async function comparePaths(
  fresh: Interpreter,
  installation: Pick<Installation, 'target' | 'baseExecutable'>,
): Promise<Result<void>> {
  const {target, baseExecutable} = installation;
  const ours = await ask(fresh);
  if (!ours.ok) {
    if (await copyFindsLibrary(installation, fresh)) return ours;
    return fail('SMOKE', 'the new interpreter does not find its standard library', {
      details: ours.failure.details,
      hint: movedHint(baseExecutable),
    });
  }
  const original = ours.value.prefix === target.prefix ? target.executable : baseExecutable;
  const theirs = await ask({...fresh, python: original});
  if (!theirs.ok) return theirs;
  const difference = firstDifference(ours.value, theirs.value);
  if (difference === undefined) return ok();
  return fail('SMOKE', `the new interpreter does not have the paths of ${original}: ${difference}`, {
    hint: await hintFor(fresh.python, original, ours.value.prefix, theirs.value.prefix),
  });
}

/** Starts a Python as if its executable lay elsewhere: CPython searches for its library from there, and last where it was configured to be. */
const ELSEWHERE = `
import os, sys
os.execv(sys.executable, ['/nowhere/bin/python', *sys.argv[1:]])
`;

/** Whether a copy of the executable, in a directory far from it, finds the standard library. That of a Python that was moved does not. */
export async function copyFindsLibrary(
  {target, baseExecutable}: Pick<Installation, 'target' | 'baseExecutable'>,
  original: Interpreter,
): Promise<boolean> {
  const paths = await ask({...original, python: baseExecutable}, ['-I', '-S', '-c', ELSEWHERE]);
  if (!paths.ok) return false;
  const [found, own] = await Promise.all([paths.value.stdlib, target.stdlib].map(realPathOf));
  return found === own;
}

async function hintFor(fresh: string, original: string, our: string, their: string): Promise<string> {
  const [here, there, place] = await Promise.all([our, their, dirname(fresh)].map(realPathOf));
  if (our !== their && here === there) {
    const real = join(our, relative(their, original));
    return `${their} is a link to the same directory: use --python ${real}, or an --out beside ${original}`;
  }
  if (our !== their && relative(here ?? our, place ?? fresh).startsWith('..')) {
    return movedHint(original);
  }
  return 'Python searches for its library in the directory of its executable and its parents: use an --out that has no other library near it';
}

function movedHint(original: string): string {
  return `this Python was moved, and finds its library only from its own directory: use an --out beside ${original}, or in the bin of a virtual environment of it`;
}

const realPathOf = (path: string): Promise<string> => realpath(path).catch(() => path);

/** As text; undefined if there is no difference. */
export function firstDifference(ours: InterpreterPaths, theirs: InterpreterPaths): string | undefined {
  for (const name of Object.keys(theirs) as (keyof InterpreterPaths)[]) {
    const [our, their] = [ours[name], theirs[name]].map((value) => JSON.stringify(value));
    if (our !== their) return `${name} is ${our ?? ''} instead of ${their ?? ''}`;
  }
  return undefined;
}

async function ask(
  {python, environment, signal}: Interpreter,
  before: readonly string[] = [],
): Promise<Result<InterpreterPaths>> {
  const run = await askProcess({
    file: python,
    args: (answer) => [...before, '-I', '-B', '-c', QUESTION, answer],
    cwd: '/',
    environment: {...environment, ...NO_BYTECODE},
    signal,
    timeoutMs: 60_000,
  });
  if (!run.ok) return run;
  const answer = interpreterPaths.safeParse(parseJson(run.value.answer));
  if (answer.success) return ok(answer.data);
  return fail('SMOKE', `${python} does not report where its library is`, {details: run.value.said});
}
