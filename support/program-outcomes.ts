/** What a real program (`programs.ts`) does in an interpreter, and an interpreter in which it is frozen. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import type {Program, Workplace} from './programs.js';
import {type Run, flashfreezeJson, run, withoutUsersVariables} from './rig.js';
import {freshFolder, traceOptions} from './workplace.js';

/** Debian's Python, for which its programs are. */
export const DEBIAN_PYTHON = '/usr/bin/python3.11';

/** How a program is frozen, with the command that does it. */
const COMMANDS = {
  relink: ['relink', '--method', 'link'],
  graft: ['relink', '--method', 'graft'],
  overlay: ['overlay'],
} as const;

export type Host = keyof typeof COMMANDS;

/** The hosts, for a test of each and for those that choose one. */
export const PROGRAM_HOSTS = Object.keys(COMMANDS) as readonly Host[];

/** One command of a program, and what came of it. */
export interface Outcome {
  readonly words: string;
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The variables of a program: nothing of the user's own changes what it does. */
function environmentIn({folder}: Workplace): Record<string, string | undefined> {
  return {
    ...withoutUsersVariables(
      /^(PYTHON|FLASHFREEZE|HG|PIP|ANSIBLE|FLASK|XDG|AWS|BORG|BEETS|DJANGO|MPL|IPYTHON)/,
    ),
    HOME: folder,
    TMPDIR: join(folder, 'tmp'),
    LANG: 'C.UTF-8',
    LC_ALL: undefined,
    COLUMNS: '100',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONHASHSEED: '0',
  };
}

/** Runs one command of a program. */
export function invoke(work: Workplace, python: string, words: readonly string[]): Promise<Run> {
  return run(python, words, {cwd: work.folder, environment: environmentIn(work)});
}

/** What differs from run to run in any interpreter: times, sizes of directories, numbers of processes, temporary names. */
function withoutChance(text: string, python: string): string {
  return text
    .replaceAll(python, '<python>')
    .replaceAll(DEBIAN_PYTHON, '<python>')
    .replaceAll(
      /\b\d+:\d\d:\d\d(\.\d+)?\b|\b\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d([.,]\d+)?)?( \+0000)?/g,
      '<time>',
    )
    .replaceAll(/\b\d\d:\d+\.\d+\b/g, '<time>')
    .replaceAll(/\b\d+(\.\d+)?\s?(s|bytes\/s|k?B\/s|ms|µs|[KM]i?B(\/s)?|B\/s)\b/g, '<amount>')
    .replaceAll(/\b\d+(\.\d+)? (seconds?|sec)\b/g, '<amount>')
    .replaceAll(/(tmp|ansible-local-|ansible-tmp-|pip-)[\w.-]*\d[\w.-]*/g, '<temporary>')
    .replaceAll(/"(start|end|delta|epoch|elapsed|_?version_?)": ("[^"]*"|[\d.]+)/g, '"$1": <time>')
    .replaceAll(/0x[0-9a-f]+/g, '<address>');
}

/** Everything that the program is asked to do, in an empty directory. */
export async function outcomesOf(
  work: Workplace,
  program: Program,
  python: string,
): Promise<readonly Outcome[]> {
  freshFolder(work, program);
  const seen: Outcome[] = [];
  for (const words of program.invocations(work)) {
    const {exitCode, stdout, stderr} = await invoke(work, python, words);
    const [out, error] = [stdout, stderr].map((text) => withoutChance(text, python));
    seen.push({words: words.join(' '), exitCode, stdout: out ?? '', stderr: error ?? ''});
  }
  return seen;
}

/** Freezes what the program imports when it is traced; gives the file to run it with. Throws where that fails. */
export async function freezeProgram(
  work: Workplace,
  program: Program,
  host: Host,
  places: {readonly folder: string; readonly builds: string},
): Promise<string> {
  const name = `${host}-${program.name.replaceAll(' ', '-')}`;
  const out = join(places.folder, name, ...(host === 'overlay' ? [] : ['python3.11']));
  mkdirSync(join(places.folder, name), {recursive: true});
  freshFolder(work, program);
  const build = join(places.builds, `program-${name}`);
  const made = await flashfreezeJson(
    [
      ...[...COMMANDS[host], '--python', DEBIAN_PYTHON, '--out', out, '--build-dir', build],
      ...traceOptions(work, program),
    ],
    {cwd: work.folder, environment: {HOME: work.folder}},
  );
  if (!made.summary.ok) throw new Error(made.stderr);
  return host === 'overlay' ? join(out, 'bin', 'python3.11') : out;
}
