import type {Span} from './timeline.js';

/** A span on a lane, counted from 0. */
export type Laid<S extends Span> = S & {readonly lane: number};

/** What clocks of different resolution may overlap by: then the later one begins where the earlier one ended. */
const SLACK_MS = 1.5;

/**
 * Puts spans on as few lanes as there were at once, so that none overlaps another on its lane: in the order in which they
 * began, each on the first lane that is free.
 */
export function onLanes<S extends Span>(spans: readonly S[]): Laid<S>[] {
  const ends: number[] = [];
  return [...spans]
    .sort((a, b) => a.begin - b.begin || b.ms - a.ms)
    .map((span) => {
      const free = ends.findIndex((end) => end <= span.begin + Math.min(SLACK_MS, span.ms));
      const lane = free === -1 ? ends.length : free;
      const begin = Math.max(span.begin, ends[lane] ?? 0);
      const end = Math.max(begin, span.begin + span.ms);
      ends[lane] = end;
      return {...span, begin, ms: end - begin, lane};
    });
}
