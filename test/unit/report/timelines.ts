import type {EventInput} from '../../../src/model/events.js';
import {recordTimeline, type Timeline} from '../../../src/report/timeline.js';
import {sinkOf} from '../../../src/report/reporter.js';
import {BEGIN, play, type Recorded} from './rig.js';

/** What is recorded of events, and of rows that were measured. */
export function recordingOf(events: readonly Recorded[], measured: readonly object[] = []): Timeline {
  const recorder = recordTimeline();
  const reporter = {event: recorder.event, product: recorder.product, close: () => undefined};
  play(reporter, events);
  const sink = sinkOf([reporter], () => BEGIN);
  for (const row of measured) sink.product({text: '', record: {type: 'bench', ...row}});
  return recorder.recording();
}

type Finished = Extract<EventInput, {type: 'action-finished'}>;

/** The end of an action that ran so long, and how long it is until the next event. */
export function finished(
  id: Finished['id'],
  ms: number,
  wait: number,
  extra: Partial<Finished> = {},
): Recorded {
  const step = id.slice(0, id.indexOf(':')) as Finished['step'];
  return {type: 'action-finished', id, step, outcome: 'executed', reason: 'first build', ms, wait, ...extra};
}
