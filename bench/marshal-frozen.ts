/** The same modules frozen as CPython freezes its own: what static code adds to not looking for files. */
import {mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import type {BenchProgram} from '../src/inspect/bench-program.js';
import type {BenchSubject} from '../src/inspect/bench-subjects.js';
import {PACKAGE, run} from '../support/rig.js';

const variablesSchema = z.record(z.string(), z.string());
const modulesSchema = z.array(z.object({name: z.string(), path: z.string()}));

/**
 * Stage 1, linked with marshal bytes of the modules that stage 2 has images of, but of those that CPython freezes anyway. It
 * is linked as CPython's Makefile links stage 1, and lies beside it. Throws when a tool fails.
 * @param source the source tree
 * @param buildDir that of the build from source
 */
export async function marshalFrozen(
  {stage1, stage2}: BenchSubject,
  source: string,
  buildDir: string,
): Promise<BenchProgram> {
  const cpython = join(buildDir, 'cpython');
  const work = join(buildDir, 'bench', 'marshal');
  mkdirSync(work, {recursive: true});
  const variables = variablesSchema.parse(
    JSON.parse(readFileSync(join(cpython, 'flashfreeze-variables.json'), 'utf8')),
  );
  const value = (name: string): string => variables[name] ?? '';
  const list = `import json, _flashfreeze
print(json.dumps([{"name": name, "path": origin} for name, origin, _ in _flashfreeze.modules() if origin != "frozen"]))`;
  const modules = (await succeed(stage2.python, ['-c', list], stage2.environment)).trim();
  if (modulesSchema.parse(JSON.parse(modules)).length === 0) throw new Error('nothing is frozen');
  const [c, python] = [join(work, 'frozen.c'), join(buildDir, 'bench', 'bin', 'python-marshal')];
  const script = join(PACKAGE, 'bench', 'marshal_frozen.py');
  await succeed(stage1.python, ['-B', script, c], stage1.environment, modules);
  const link = [
    ...[value('LINKCC'), '-O1', `-I${source}/Include -I.`, value('PY_CORE_LDFLAGS'), value('LINKFORSHARED')],
    ...['-o', `'${python}'`, 'Programs/python.o', `'${c}'`, value('LINK_PYTHON_OBJS')],
    ...[value('LIBS'), value('MODLIBS'), value('SYSLIBS')],
  ].join(' ');
  await succeed('sh', ['-c', `cd '${cpython}' && ${link}`], {PATH: process.env['PATH'] ?? ''});
  const used = `import sys; print(*(name for name in ${JSON.stringify(MUST_BE_FROZEN)} if "Frozen" not in repr(__import__(name).__spec__.loader)))`;
  const others = (await succeed(python, ['-c', used], stage1.environment)).trim();
  if (others !== '') throw new Error(`not frozen: ${others}`);
  return {python, environment: stage1.environment};
}

/** What every selection of the benchmarks has. */
const MUST_BE_FROZEN = ['encodings', 'json'];

async function succeed(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  input?: string,
): Promise<string> {
  const done = await run(file, args, {environment, ...(input === undefined ? {} : {input})});
  if (done.exitCode !== 0) throw new Error(`${file} ${args.join(' ')}\n${done.stderr.slice(-4000)}`);
  return done.stdout;
}
