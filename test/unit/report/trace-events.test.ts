import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {onLanes} from '../../../src/report/lanes.js';
import {traceOf} from '../../../src/report/trace-events.js';
import {finished, recordingOf} from './timelines.js';
import {summary} from './rig.js';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly cat: string;
  readonly args: Readonly<Record<string, unknown>>;
}

function parse(text: string): {readonly spans: TraceEvent[]; readonly lane: (span: TraceEvent) => unknown} {
  const {traceEvents} = JSON.parse(text) as {traceEvents: TraceEvent[]};
  const names = new Map(
    traceEvents.filter(({name}) => name === 'thread_name').map(({tid, args}) => [tid, args['name']]),
  );
  return {spans: traceEvents.filter(({ph}) => ph === 'X'), lane: ({tid}) => names.get(tid)};
}

describe('a trace', () => {
  const recording = recordingOf([
    {type: 'command-started', command: 'build', wait: 100},
    {type: 'cache-lookup', id: 'cc:a', found: null, ms: 5, wait: 50},
    {type: 'cache-lookup', id: 'cc:b', found: 'cached', ms: 5, wait: 50},
    finished('cc:b', 10, 50, {outcome: 'cached', reason: 'result in the cache', bytes: 7}),
    finished('cc:c', 1, 50, {outcome: 'fresh', reason: 'up to date'}),
    finished('cc:a', 180, 20),
    {type: 'action-failed', id: 'link:python', step: 'link', failure: {code: 'LINK', message: 'no'}, ms: 20},
    {type: 'phase-finished', phase: 'all of it', ms: 300},
    summary({wallMs: 330, ok: false}),
  ]);
  const {spans, lane} = parse(traceOf(recording));
  const told = (kind: string) =>
    spans
      .filter((span) => String(lane(span)).startsWith(kind))
      .map((span) => [span.name, lane(span), span.ts, span.dur]);

  test('has the run, its stages, actions and look-ups on lanes of their own', () => {
    expect(told('run')).toEqual([['build', 'run', 0, 330_000]]);
    expect(told('actions')).toEqual([
      ['cc:a', 'actions 1', 120_000, 180_000],
      ['cc:b', 'actions 2', 190_000, 10_000],
      ['link:python', 'actions 1', 300_000, 20_000],
    ]);
    expect(told('cache look-ups')).toEqual([
      ['cc:a', 'cache look-ups 1', 95_000, 5000],
      ['cc:b', 'cache look-ups 1', 145_000, 5000],
    ]);
    expect(told('stages')).toEqual([
      ['all of it', 'stages 1', 21_000, 300_000],
      ['cc', 'stages 2', 120_000, 180_000],
      ['link', 'stages 2', 300_000, 20_000],
    ]);
  });

  test('has the outcome and the reason of each', () => {
    const about = (name: string) => spans.find((span) => span.name === name && span.cat !== 'look-up')?.args;
    expect(about('cc:a')).toEqual({outcome: 'executed', reason: 'first build'});
    expect(about('cc:b')).toEqual({outcome: 'cached', reason: 'result in the cache', bytes: 7});
    expect(about('link:python')).toEqual({outcome: 'failed', reason: 'no'});
  });
});

test('spans on a lane never overlap, and there are no more lanes than spans at once', () => {
  const span = fc.record({begin: fc.integer({min: 0, max: 200}), ms: fc.integer({min: 0, max: 50})});
  fc.assert(
    fc.property(fc.array(span), (spans) => {
      const laid = onLanes(spans);
      expect(laid).toHaveLength(spans.length);
      for (const one of laid) {
        for (const other of laid) {
          if (one === other || one.lane !== other.lane || one.begin > other.begin) continue;
          expect(one.begin + one.ms <= other.begin || other.begin + other.ms <= one.begin + one.ms).toBe(
            true,
          );
          if (one.begin < other.begin) expect(one.begin + one.ms).toBeLessThanOrEqual(other.begin);
        }
      }
      const atOnce = Math.max(
        0,
        ...spans.map(
          ({begin}) => spans.filter((s) => s.begin <= begin && begin < s.begin + Math.max(s.ms, 1)).length,
        ),
      );
      expect(Math.max(0, ...laid.map(({lane}) => lane + 1))).toBeLessThanOrEqual(Math.max(atOnce, 1));
    }),
  );
});
