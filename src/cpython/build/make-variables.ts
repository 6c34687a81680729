import {join} from 'node:path';
import {existsSync} from '../../fs/recorded-fs.js';
import {runProcess} from '../../exec/process.js';
import {fail, ok, type Result} from '../../model/result.js';
import {findMake, type BuildRun} from './build-tools.js';

/** Arguments that keep make from updating these Makefiles before it reads them. */
export const AS_THEY_ARE: readonly string[] = ['Makefile', 'Makefile.pre', 'config.status'].flatMap(
  (name) => ['-o', name],
);

/**
 * Read after CPython's Makefile, from standard input: make would try to update a file, too, with any
 * pattern rule fits its name.
 */
const PRINTER = `
.PHONY: flashfreeze-variables
flashfreeze-variables: ; @:
$(foreach name,$(FLASHFREEZE_VARIABLES),$(info $(name)=$($(name))))
`;

/**
 * The expanded values of variables of a configured build directory, such as `LINKCC` or `LIBRARY_OBJS`. Empty text for a
 * variable that this version does not have. Makes nothing. Fails with NO_MAKE or STAGE1.
 */
export async function readMakeVariables<Name extends string>(
  run: Pick<BuildRun, 'buildDir' | 'environment' | 'signal'>,
  names: readonly Name[],
): Promise<Result<Readonly<Record<Name, string>>>> {
  const make = await findMake(run.environment);
  if (!make.ok) return make;
  // make would not complain, because it is told not to update the Makefile.
  if (!existsSync(join(run.buildDir, 'Makefile'))) {
    return fail('STAGE1', `${run.buildDir} is not configured: it has no Makefile`);
  }
  const done = await runProcess({
    file: make.value,
    args: [
      ...['--no-print-directory', '-s', ...AS_THEY_ARE, '-f', 'Makefile', '-f', '-'],
      ...['flashfreeze-variables', `FLASHFREEZE_VARIABLES=${names.join(' ')}`],
    ],
    cwd: run.buildDir,
    environment: run.environment,
    signal: run.signal,
    input: PRINTER,
  });
  if (!done.ok) return done;
  const {exitCode, stdout, stderr} = done.value;
  if (exitCode !== 0) {
    return fail('STAGE1', `make cannot read the Makefile of ${run.buildDir}`, {details: stderr.trimEnd()});
  }
  const values = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1).trim());
  }
  const missing = names.filter((name) => !values.has(name));
  if (missing.length > 0)
    return fail('STAGE1', `make did not print ${missing.join(', ')} for ${run.buildDir}`);
  return ok(Object.fromEntries(names.map((name) => [name, values.get(name) ?? ''])) as Record<Name, string>);
}
