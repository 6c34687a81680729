import {runProcess} from '../../exec/process.js';
import type {HostContext} from '../../pipeline/build-options.js';

/** An executable with a snapshot. */
export interface Asked {
  readonly file: string;
  /** The path by which it is called. */
  readonly calledAs: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Whether a start would go on from the snapshot: `restored`, or why it would be an ordinary one. Nothing is run: the executable compares its
 * surroundings, says so, and ends (src/runtime/snapshot/start.c).
 */
export async function askExecutable(
  {file, calledAs, environment}: Asked,
  {cwd, signal}: Pick<HostContext, 'cwd' | 'signal'>,
): Promise<string> {
  const done = await runProcess({
    ...{file, argv0: calledAs, args: [], cwd, signal},
    environment: {...environment, FLASHFREEZE_SNAPSHOT: '?'},
  });
  if (!done.ok) return done.failure.message;
  return done.value.stdout === '' ? `it ended with exit code ${done.value.exitCode}` : done.value.stdout;
}
