import type {HostContext} from '../../pipeline/build-options.js';

/** The environment of a process whose memory is kept: the user's, without what changes how the interpreter starts. */
export function userEnvironmentOf({
  userEnvironment: own,
}: Pick<HostContext, 'userEnvironment'>): Record<string, string> {
  const entries = Object.entries(own).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(PYTHON|FLASHFREEZE)/.test(entry[0]),
  );
  return Object.fromEntries(entries);
}
