import type {EventInput} from '../../../src/model/events.js';
import {sinkOf, type Reporter} from '../../../src/report/reporter.js';
import {writerTo, type Writer} from '../../../src/report/stream.js';
import {textStream} from '../../support/text-stream.js';

/** A stream that keeps what is written to it. */
export interface Captured extends Writer {
  readonly text: () => string;
}

export function capture(terminal?: {readonly columns: number}): Captured {
  const stream = textStream(terminal);
  return {...writerTo(stream), text: stream.text};
}

/** 2026-01-02T03:04:05Z: every run of these tests begins here. */
export const BEGIN = 1_767_323_045_000;

/** An event, and how many milliseconds pass after it. */
export type Recorded = EventInput & {readonly wait?: number};

/** Plays events back, one millisecond apart unless they say otherwise. */
export function play(reporter: Reporter, events: readonly Recorded[], advance?: (ms: number) => void): void {
  let now = BEGIN;
  const sink = sinkOf([reporter], () => now);
  for (const {wait = 1, ...event} of events) {
    sink.emit(event);
    now += wait;
    advance?.(wait);
  }
}

const NO_ACTIONS = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};

export function summary(
  fields: Partial<Extract<EventInput, {type: 'summary'}>> = {},
): Extract<EventInput, {type: 'summary'}> {
  return {
    type: 'summary',
    ok: true,
    command: 'build',
    python: null,
    modules: 0,
    output: null,
    stage1: null,
    sha256: null,
    wallMs: 0,
    actions: NO_ACTIONS,
    executed: [],
    ...fields,
  };
}

/** A build in which one module changed, and another did not. */
export const REBUILD: readonly Recorded[] = [
  {type: 'command-started', command: 'build'},
  {type: 'phase-started', phase: 'building CPython'},
  {
    type: 'action-finished',
    id: 'stage1:python',
    step: 'stage1',
    outcome: 'fresh',
    reason: 'nothing changed',
    ms: 2,
  },
  {type: 'phase-finished', phase: 'building CPython', ms: 3},
  {type: 'action-started', id: 'generate:os', step: 'generate', reason: 'os.py changed'},
  {
    type: 'action-finished',
    id: 'generate:os',
    step: 'generate',
    outcome: 'executed',
    reason: 'os.py changed',
    ms: 12.4,
  },
  {type: 'action-finished', id: 'cc:re', step: 'cc', outcome: 'cached', reason: 'first build', ms: 1},
  {type: 'action-started', id: 'cc:os', step: 'cc', reason: 'output of generate:os changed'},
  {type: 'action-started', id: 'cc:json', step: 'cc', reason: 'flags changed'},
  {type: 'tool-output', id: 'cc:os', text: 'os.c:1: warning: first\nos.c:2: warning: second'},
  {type: 'tool-output', id: 'cc:json', text: 'json.c:1: warning'},
  {type: 'tool-output', id: 'cc:os', text: 'os.c:3: warning: third'},
  {type: 'action-finished', id: 'cc:json', step: 'cc', outcome: 'executed', reason: 'flags changed', ms: 250},
  {
    type: 'action-finished',
    id: 'cc:os',
    step: 'cc',
    outcome: 'executed',
    reason: 'output of generate:os changed',
    ms: 1530,
  },
  {type: 'notice', message: 'a thing worth knowing'},
  {type: 'warning', message: 'the cache is full', hint: 'run flashfreeze cache gc'},
  summary({
    python: '3.13.15',
    modules: 3,
    output: '/out/python',
    wallMs: 800,
    actions: {executed: 3, cached: 1, remote: 0, fresh: 1, failed: 0},
  }),
];

/** A build in which the C compiler refuses a file; the run fails with the failure of the action. */
const REFUSED = {
  code: 'CC',
  message: 'the C compiler failed to compile os.c',
  details: 'os.c:1: error: no\nos.c:2: error: never\n',
  hint: 'ask it nicely',
} as const;

export const FAILURE: readonly Recorded[] = [
  {type: 'command-started', command: 'build'},
  {type: 'action-started', id: 'cc:os', step: 'cc', reason: 'first build'},
  {type: 'tool-output', id: 'cc:os', text: 'os.c:1: error: no'},
  {type: 'action-failed', id: 'cc:os', step: 'cc', failure: REFUSED, ms: 40},
  {type: 'error', failure: REFUSED},
  summary({ok: false, actions: {...NO_ACTIONS, failed: 1}}),
];
