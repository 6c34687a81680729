/** Many programs, frozen into one interpreter. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {flashfreezeJson, run} from '../../support/rig.js';
import type {Program} from './program.js';
import {type Written, tagged, writeProgram} from './write.js';

export interface Target {
  readonly host: 'relink' | 'overlay' | 'source';
  /** The original interpreter: its real path. */
  readonly python: string;
  /** Such as `3.13`. */
  readonly series: string;
  /** Where the results of builds are kept; with those of the other tests, if not given. */
  readonly cache?: string;
  /** The command that makes the frozen interpreter, and its path, where it is not made of an installed one. */
  readonly made?: {readonly command: readonly string[]; readonly python: string};
}

export interface Batch {
  readonly target: Target;
  readonly programs: readonly Written[];
  /** The frozen interpreter, or why there is none. */
  readonly frozen: {readonly ok: true; readonly python: string} | {readonly ok: false; readonly why: string};
}

const OWN = join(import.meta.dirname, 'python');

/** Writes the programs into an empty directory and freezes them. */
export async function freezeBatch(
  target: Target,
  programs: readonly Program[],
  folder: string,
): Promise<Batch> {
  const written = programs.map((program, at) => {
    const tag = `t${String(at).padStart(4, '0')}`;
    return writeProgram(program, tag, join(folder, 'p', tag));
  });
  const inside = (each: Written, path: string): string => `${each.folder}/${tagged(path, each.tag)}`;
  const bytecode = written.flatMap((each) =>
    each.program.files.flatMap((file) =>
      file.kind === 'module' && file.bytecode !== 'none'
        ? [[inside(each, file.path), file.bytecode]]
        : file.kind === 'link' && file.path.endsWith('.py')
          ? [[inside(each, file.path), 'current']]
          : [],
    ),
  );
  const modules = written.flatMap((each) =>
    each.program.frozen.map(({name, path}) => [tagged(name, each.tag), inside(each, path)]),
  );
  mkdirSync(join(folder, 'p'), {recursive: true});
  const lists = {bytecode: join(folder, 'bytecode.json'), modules: join(folder, 'modules.json')};
  writeFileSync(lists.bytecode, JSON.stringify(bytecode));
  writeFileSync(lists.modules, JSON.stringify(modules));
  const prepared = await run(target.python, ['-I', '-W', 'ignore', join(OWN, 'prepare.py'), lists.bytecode]);
  if (prepared.exitCode !== 0) throw new Error(prepared.stderr);
  const own = join(folder, target.host, 'bin', `python${target.series}`);
  mkdirSync(join(folder, target.host, 'bin'), {recursive: true});
  const destination = target.host === 'relink' ? own : join(folder, target.host);
  const {command, python: out} = target.made ?? {
    command: [
      ...[target.host, '--python', target.python, '--out', destination],
      ...['--build-dir', join(folder, 'build')],
    ],
    python: own,
  };
  const trace = `${join(OWN, 'freeze.py')} ${lists.modules}`;
  const made = await flashfreezeJson(
    [...command, '--startup', '--trace', trace],
    target.cache === undefined ? {} : {environment: {FLASHFREEZE_CACHE_DIR: target.cache}},
  );
  const frozen = made.summary.ok
    ? {ok: true as const, python: out}
    : {ok: false as const, why: reasonOf(made.stderr)};
  return {target, programs: written, frozen};
}

/** The error in what a build prints: it comes after the actions, with its details and a hint. */
function reasonOf(printed: string): string {
  const begin = printed.indexOf('flashfreeze: error[');
  return begin < 0 ? printed.slice(-3000) : printed.slice(begin, begin + 3000);
}
