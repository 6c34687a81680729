import {countActions} from '../engine/tally.js';
import type {EventSink, Summary} from '../model/events.js';
import {bug, type Failure} from '../model/failure.js';

/** The result of a run: the fields of its summary that it knows, and its failure, if any. */
export type RunEnd = Partial<Omit<Summary, 'type' | 'time' | 'ok' | 'command' | 'wallMs'>> & {
  readonly failure?: Failure;
};

/** A run that is over. */
export type EndedRun = RunEnd & Pick<Summary, 'actions'>;

/**
 * Runs a command between its first event and its summary, which are emitted here. Never throws: an error that `run`
 * throws is a bug, and becomes a failure.
 */
export async function emitRun(
  command: string,
  events: EventSink,
  run: (events: EventSink) => Promise<RunEnd>,
): Promise<EndedRun> {
  const began = performance.now();
  const tally = countActions(events);
  events.emit({type: 'command-started', command});
  const end = await run(tally.sink).catch((error: unknown) => ({failure: bug(command, error)}));
  const {failure: problem, ...known} = end;
  if (problem !== undefined) events.emit({type: 'error', failure: problem});
  const {counts, executed} = tally.summary();
  events.emit({
    type: 'summary',
    ok: problem === undefined,
    command,
    python: null,
    modules: 0,
    output: null,
    stage1: null,
    sha256: null,
    wallMs: Math.round(performance.now() - began),
    actions: counts,
    executed,
    ...known,
  });
  return {actions: counts, ...end};
}
