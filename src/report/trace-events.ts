import {onLanes} from './lanes.js';
import type {Timeline, Span} from './timeline.js';
import {stagesOf} from './stages.js';

/** The kinds of lanes, from top to bottom, and the thread number at which each begins. */
const RUN = 1;
const STAGES = 10;
const ACTIONS = 100;
const LOOKUPS = 10_000;
const PID = 1;

interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  /** Microseconds. */
  readonly ts?: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/**
 * A run in the Trace Event Format, which Perfetto and chrome://tracing open: complete events (`X`) on threads, one thread
 * for each lane, and metadata (`M`) with their names. Up-to-date actions take no time worth showing, so they are only counted.
 */
export function traceOf(recording: Timeline): string {
  const {command, summary, actions, lookups} = recording;
  const names = new Map<number, string>();
  const put = (name: string, cat: string, span: Span, tid: number, args: TraceEvent['args']): TraceEvent => ({
    name,
    cat,
    ph: 'X',
    ts: Math.round(span.begin * 1000),
    dur: Math.round((span.begin + span.ms) * 1000) - Math.round(span.begin * 1000),
    pid: PID,
    tid,
    args: args ?? {},
  });
  const lane = (first: number, number: number, name: string): number => {
    names.set(first + number, `${name} ${number + 1}`);
    return first + number;
  };

  names.set(RUN, 'run');
  const whole = {begin: 0, ms: summary?.wallMs ?? 0};
  const counts = {...summary?.actions, ok: summary?.ok ?? false};
  const events: TraceEvent[] = [put(command, 'run', whole, RUN, counts)];
  for (const phase of onLanes(stagesOf(recording))) {
    events.push(put(phase.phase, 'stage', phase, lane(STAGES, phase.lane, 'stages'), {}));
  }
  for (const action of onLanes(actions.filter(({outcome}) => outcome !== 'fresh'))) {
    const {id, step, outcome, reason, bytes} = action;
    const args = {outcome, reason, ...(bytes === undefined ? {} : {bytes})};
    events.push(put(id, `${step},${outcome}`, action, lane(ACTIONS, action.lane, 'actions'), args));
  }
  for (const lookup of onLanes(lookups)) {
    const args = {found: lookup.found ?? 'nothing'};
    events.push(put(lookup.id, 'look-up', lookup, lane(LOOKUPS, lookup.lane, 'cache look-ups'), args));
  }

  const metadata: TraceEvent[] = [
    {name: 'process_name', ph: 'M', pid: PID, tid: 0, args: {name: `flashfreeze ${command}`}},
  ];
  for (const [tid, name] of names) {
    metadata.push({name: 'thread_name', ph: 'M', pid: PID, tid, args: {name}});
    metadata.push({name: 'thread_sort_index', ph: 'M', pid: PID, tid, args: {sort_index: tid}});
  }
  const lines = [...metadata, ...events].map((event) => JSON.stringify(event));
  return `{"displayTimeUnit":"ms","traceEvents":[\n${lines.join(',\n')}\n]}\n`;
}
