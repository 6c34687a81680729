/** The Pythons of a newer Debian, in a root directory of their own: what measures them runs in there, too. */
import {writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describeTarget} from '../src/cpython/interpreter/target.js';
import {scrubbedEnvironment} from '../src/exec/environment.js';
import {overlayPlaces} from '../src/hosts/overlay/overlay-host.js';
import {shellText} from '../src/hosts/overlay/start-hooks.js';
import {CACHE, PACKAGE} from '../support/rig.js';
import {RUN_SCRIPT} from '../support/debian-root.js';
import {makeInRoot} from '../support/frozen-pythons.js';
import type {Contest} from './contest.js';
import {valueOf} from './context.js';

/**
 * A Python of the root, without and with its overlay, or beside its graft. Throws when there is no root, or when that cannot be
 * made.
 */
export async function contestInRoot(
  kind: 'overlay' | 'graft',
  {subject, which}: {readonly subject: string; readonly which: string},
  folder: string,
  selection: readonly string[],
): Promise<Contest> {
  const out = join(folder, kind);
  const command = kind === 'overlay' ? ['overlay'] : ['relink', '--method', 'graft'];
  const {root, python} = await makeInRoot(command, which, {out, buildDir: join(folder, 'build')}, selection);
  const entrance = (program: string): string => {
    const file = join(folder, `run-${program.split('/').at(-1) ?? ''}`);
    writeFileSync(file, entranceScript(root, program), {mode: 0o755});
    return file;
  };
  const environment = scrubbedEnvironment();
  const inside = entrance(python);
  const {signal} = new AbortController();
  const target = valueOf(await describeTarget({python: inside, environment, signal}));
  const frozen =
    kind === 'graft'
      ? {python: out, environment}
      : {python, environment: {...environment, PYTHONPATH: overlayPlaces(out, target).siteFolder}};
  return {
    subject,
    python: target.version.text,
    sides: [
      {name: 'unmodified', program: {python, environment}},
      {name: 'frozen', program: frozen},
    ],
    place: {python: inside, baseline: inside, valgrind: entrance('/usr/bin/valgrind')},
  };
}

/** A program that runs one of the root's, with the variables that it gets itself, but for those that say where things are. */
function entranceScript(root: string, program: string): string {
  const text = shellText;
  return `#!/bin/bash
variables=()
while IFS= read -r -d '' each; do
  case $each in
  PATH=* | HOME=* | TMPDIR=* | PWD=* | SHLVL=* | _=*) ;;
  *) variables+=(--env "$each") ;;
  esac
done < <(env -0)
# The root has a /tmp of its own: where we expect an answer, it has to be shown ours.
folders=()
for each in "$@"; do
  case $each in
  ${text(tmpdir())}/flashfreeze-*/*) folders+=(--write "$(dirname "$each")") ;;
  esac
done
exec ${text(RUN_SCRIPT)} ${text(root)} "\${folders[@]}" --node ${text(process.execPath)} --read ${text(PACKAGE)} --write ${text(CACHE)} \\
  "\${variables[@]}" -- ${text(program)} "$@"
`;
}
