import {setImmediate} from 'node:timers/promises';
import {contentOf, statFile, statPath} from '../../fs/path-state.js';
import type {Recording} from '../../fs/recording.js';
import type {ActionSpec} from '../../model/action-spec.js';
import type {Journal, JournalOutput} from './journal.js';

/** The number of files to read before other events get a turn. */
const BATCH = 64;

/**
 * Gives the outputs of actions stamps that can be relied on. When a file is put into its place it is too young for that; now
 * that most of them are old enough, they are read once more, so that the next run need not do it.
 */
export async function confirmStamps(specs: readonly ActionSpec[], journal: Journal): Promise<void> {
  let read = 0;
  for (const spec of specs) {
    const entry = journal.get(spec.id);
    if (entry === undefined) continue;
    const outputs: Record<string, JournalOutput> = {...entry.outputs};
    let isNews = false;
    for (const {name, path} of spec.outputs) {
      const output = entry.outputs[name];
      if (output?.stamp !== null) continue;
      // First the state, then the content: after a change between the two, the state will differ later.
      const found = statFile(path);
      if (found?.settled !== true || contentOf(path, 'file') !== output.digest) continue;
      outputs[name] = {digest: output.digest, stamp: found.stamp};
      isNews = true;
      read += 1;
      if (read % BATCH === 0) await setImmediate();
    }
    if (isNews) journal.set(spec.id, {...entry, outputs});
  }
}

/** Records where the outputs of actions are, and in which state the journal left them. */
export function recordOutputs(
  specs: readonly ActionSpec[],
  journal: Pick<Journal, 'get'>,
  recording: Recording,
): void {
  for (const {id, outputs} of specs) {
    const entry = journal.get(id);
    for (const {name, path} of outputs) {
      const output = entry?.outputs[name];
      if (output === undefined) recording.addGap(`${id} has no output ${name}`);
      else if (output.stamp !== null)
        recording.addWritten(path, 'file', {state: output.stamp, settled: true});
      else recording.addWritten(path, 'file', {...statPath(path, 'file'), settled: false}, output.digest);
    }
  }
}
