import {askExecutable} from '../hosts/snapshot/ask-executable.js';
import {changedFiles} from '../hosts/snapshot/file-states.js';
import type {SnapshotContents} from '../hosts/snapshot/snapshot-contents.js';
import type {HostContext} from '../pipeline/build-options.js';

/** A snapshot, and whether it is of use here and now. */
export interface SnapshotExamination {
  readonly contents: SnapshotContents;
  /** `restored`, or why a start is an ordinary one. */
  readonly state: string;
  /** The files that imports read and that have changed since. */
  readonly changed: readonly string[];
}

/** Asks the executable, in the user's environment, and by the path that the user gives. */
export async function examineSnapshot(
  python: string,
  contents: SnapshotContents,
  {userEnvironment, signal, cwd}: HostContext,
): Promise<SnapshotExamination> {
  const own = Object.entries(userEnvironment).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  const asked = {file: python, calledAs: python, environment: Object.fromEntries(own)};
  const state = await askExecutable(asked, {cwd, signal});
  return {contents, state, changed: changedFiles(contents.bytes)};
}

/** What a start compares, besides its files: in words. */
export function comparedAtStart({
  variables,
  facts,
  files,
  isPortable,
}: Pick<SnapshotContents, 'variables' | 'facts' | 'files' | 'isPortable'>): readonly string[] {
  const WORDS: Readonly<Record<string, string>> = {
    cwd: 'the working directory',
    host: 'the host',
    cpus: 'the number of processors',
    terminals: 'what the standard streams are',
    program: 'the name of the program',
  };
  return [
    'the executable, its libraries, the processor',
    isPortable ? 'that the user has no packages in the home directory' : 'the user',
    ...facts.map(({name}) => WORDS[name] ?? name),
    ...(variables.length === 0 ? [] : [`variables: ${variables.map(({name}) => name).join(', ')}`]),
    `${files.length} ${files.length === 1 ? 'file or directory' : 'files and directories'}`,
  ];
}
