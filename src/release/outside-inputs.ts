import {readdir} from 'node:fs/promises';
import {isAbsolute, join, normalize} from 'node:path';
import {attempt} from '../fs/files.js';
import {readRegularText} from '../fs/regular-file.js';
import {parseCompilerCommand} from '../cpython/build/compiler-command.js';
import {DEPENDENCIES} from '../cpython/build/reproducible-flags.js';
import {runProcess, type ProcessSpec} from '../exec/process.js';
import {ok, type Result} from '../model/result.js';

/** What a linker takes from the compiler and the C library and puts into each program or library (gcc's spec files). */
const STATIC_PARTS = [
  ...['crt1.o', 'Scrt1.o', 'crti.o', 'crtn.o', 'crtbegin.o', 'crtbeginS.o', 'crtend.o', 'crtendS.o'],
  ...['libgcc.a', 'libc_nonshared.a'],
];

export interface OutsideInputsRequest {
  readonly buildDir: string;
  /** The compiler, as shell words. */
  readonly cc: string;
  /** Directories of the build and of the source: what lies there is not outside. */
  readonly own: readonly string[];
  /** Files of what was frozen. Absolute. */
  readonly frozen: readonly string[];
}

/**
 * The files outside of the source tree that a reproducible build was made from: the headers that its compiler reported, what is
 * linked into every program, and the programs that were frozen. Of shared libraries nothing but names gets into a result, so
 * they are not among them. Absolute paths, sorted. Fails with IO, and as `runProcess` does.
 */
export async function outsideInputs(
  {buildDir, cc, own, frozen}: OutsideInputsRequest,
  run: Pick<ProcessSpec, 'environment' | 'signal'>,
): Promise<Result<readonly string[]>> {
  const found = new Set(frozen);
  const read = await attempt('read', buildDir, async () => {
    for (const name of await readdir(buildDir, {recursive: true})) {
      if (!name.endsWith(DEPENDENCIES)) continue;
      for (const path of prerequisitesOf(await readRegularText(join(buildDir, name)))) found.add(path);
    }
  });
  if (!read.ok) return read;
  const {file, prefix, flags} = parseCompilerCommand(cc);
  for (const part of STATIC_PARTS) {
    const asked = await runProcess({
      file,
      args: [...prefix, ...flags, `-print-file-name=${part}`],
      cwd: '/',
      ...run,
    });
    if (!asked.ok) return asked;
    found.add(asked.value.stdout.trim());
  }
  const isOwn = (path: string): boolean => own.some((folder) => path.startsWith(`${folder}/`));
  const paths = [...found].filter(isAbsolute).map((path) => normalize(path));
  return ok([...new Set(paths)].filter((path) => !isOwn(path)).sort());
}

/** What a rule of make, as compilers write it (-MD), names after its target. */
export function prerequisitesOf(rule: string): readonly string[] {
  const [, names = ''] = /^(?:[^:\\]|\\.)*:([^]*)$/.exec(rule) ?? [];
  const listed = names.replaceAll('\\\n', ' ').match(/(?:[^\s\\]|\\.)+/g) ?? [];
  return listed.map((name) => name.replaceAll(/\\([ #])/g, '$1').replaceAll('$$', '$'));
}
