import type {ActionId} from '../model/action.js';
import type {ActionCounts, EventSink} from '../model/events.js';

/** The outcomes of actions. */
export interface EngineSummary {
  readonly counts: ActionCounts;
  /** The executed actions, in the order in which they finished. */
  readonly executed: readonly ActionId[];
}

/** Counts actions by their events. */
export interface Tally {
  /** Passes events on. */
  readonly sink: EventSink;
  /** The current counts. */
  readonly summary: () => EngineSummary;
}

/** Counts the actions of the events that go to `events`. Actions stopped by an abort do not count as failed. */
export function countActions(events: EventSink): Tally {
  const counts = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};
  const executed: ActionId[] = [];
  return {
    sink: {
      emit(event) {
        if (event.type === 'action-finished') {
          counts[event.outcome] += 1;
          if (event.outcome === 'executed') executed.push(event.id);
        }
        if (event.type === 'action-failed' && event.failure.code !== 'INTERRUPTED') counts.failed += 1;
        events.emit(event);
      },
    },
    summary: () => ({counts: {...counts}, executed: [...executed]}),
  };
}
