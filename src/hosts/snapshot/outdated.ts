import {SESSION_VARIABLES} from '../../exec/environment.js';
import {recordFile} from '../../fs/recorded-fs.js';
import {currentRecording, withoutRecording} from '../../fs/recording.js';
import type {HostContext} from '../../pipeline/build-options.js';
import {askExecutable} from './ask-executable.js';
import {changedFiles} from './file-states.js';
import type {SnapshotContents} from './snapshot-contents.js';

/** Reasons for an ordinary start that lie in the process which asks, and that no new snapshot would change. */
const OF_THE_PROCESS =
  /^(a signal is ignored|the process has|there is no memory|its place in memory|the interpreter has options|a variable PYTHON|FLASHFREEZE is set)/;

/**
 * Why a snapshot is no longer that of these surroundings: the files, variables and other facts that imports looked at and that are
 * others now. Empty for one that is up to date.
 */
export async function whyOutdated(
  file: string,
  contents: SnapshotContents,
  environment: Readonly<Record<string, string>>,
  context: Pick<HostContext, 'cwd' | 'signal'>,
): Promise<readonly string[]> {
  const files = changedFiles(contents.bytes).map((path) => `${path} changed`);
  // What the executable looks at decides whether the next build has anything to do: its files, the environment, and libraries, which
  // ldconfig lists anew when one is replaced.
  recordFile('/etc/ld.so.cache');
  const variable = contents.variables.find(({name}) => SESSION_VARIABLES.includes(name));
  if (variable !== undefined) currentRecording()?.addGap(`imports read ${variable.name}`);
  const state = await withoutRecording(() =>
    askExecutable({file, calledAs: contents.calledAs, environment}, context),
  );
  if (state === 'restored' || OF_THE_PROCESS.test(state)) return [];
  const variables = contents.variables
    .filter(({name, value}) => environment[name] !== value)
    .map(({name}) => `environment variable ${name} has another value`);
  const named = [...files, ...variables];
  return named.length > 0 ? named : [state];
}
