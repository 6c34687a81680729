import type {ActionId, Outcome, Step} from '../model/action.js';
import type {Event, Summary} from '../model/events.js';
import type {Product} from './reporter.js';

/** A stretch of a run, in milliseconds since the run began. */
export interface Span {
  readonly begin: number;
  readonly ms: number;
}

export interface ActionSpan extends Span {
  readonly id: ActionId;
  readonly step: Step;
  readonly outcome: Outcome | 'failed';
  readonly reason: string;
  /** The size of its outputs, where that is known. */
  readonly bytes: number | undefined;
}

export interface PhaseSpan extends Span {
  readonly phase: string;
}

export interface LookupSpan extends Span {
  readonly id: ActionId;
  readonly found: 'cached' | 'remote' | null;
}

/** A command that was measured, with frozen modules and without. */
export interface Measured {
  readonly command: string;
  readonly stage1Ms: number;
  readonly stage2Ms: number;
  readonly spreadMs: number;
}

/** A whole run, for reporters that show it at its end. */
export interface Timeline {
  /** Milliseconds since the epoch. */
  readonly began: number;
  readonly command: string;
  readonly summary: Summary | undefined;
  readonly actions: readonly ActionSpan[];
  readonly phases: readonly PhaseSpan[];
  readonly lookups: readonly LookupSpan[];
  readonly warnings: readonly string[];
  readonly measured: readonly Measured[];
}

/** Collects a run as it goes by. */
export interface TimelineRecorder {
  readonly event: (event: Event) => void;
  readonly product: (product: Product) => void;
  readonly recording: () => Timeline;
}

export function recordTimeline(): TimelineRecorder {
  let began: number | undefined;
  let command = '';
  let summary: Summary | undefined;
  const actions: ActionSpan[] = [];
  const phases: PhaseSpan[] = [];
  const lookups: LookupSpan[] = [];
  const warnings: string[] = [];
  const measured: Measured[] = [];

  return {
    event(event) {
      began ??= event.time;
      // Events come when something is over. The clock that gives their time is coarser than what measured `ms`.
      const before = (ms: number): Span => ({begin: Math.max(0, event.time - (began ?? 0) - ms), ms});
      switch (event.type) {
        case 'command-started':
          command = event.command;
          break;
        case 'phase-finished':
          phases.push({phase: event.phase, ...before(event.ms)});
          break;
        case 'action-finished': {
          const {id, step, outcome, reason, bytes} = event;
          actions.push({id, step, outcome, reason, bytes, ...before(event.ms)});
          break;
        }
        case 'action-failed': {
          const {id, step, failure} = event;
          const reason = failure.message;
          actions.push({id, step, outcome: 'failed', reason, bytes: undefined, ...before(event.ms)});
          break;
        }
        case 'cache-lookup':
          lookups.push({id: event.id, found: event.found, ...before(event.ms)});
          break;
        case 'warning':
          warnings.push(event.message);
          break;
        case 'error':
          warnings.push(`error[${event.failure.code}]: ${event.failure.message}`);
          break;
        case 'summary':
          summary = event;
          break;
        case 'phase-started':
        case 'action-started':
        case 'tool-output':
        case 'notice':
          break;
      }
    },
    product({record}) {
      if (record?.type !== 'bench') return;
      const {command: line, stage1Ms, stage2Ms, spreadMs} = record;
      if (typeof line !== 'string' || typeof stage1Ms !== 'number' || typeof stage2Ms !== 'number') return;
      measured.push({
        command: line,
        stage1Ms,
        stage2Ms,
        spreadMs: typeof spreadMs === 'number' ? spreadMs : 0,
      });
    },
    recording: () => ({
      began: began ?? 0,
      command,
      summary,
      actions,
      phases,
      lookups,
      warnings,
      measured,
    }),
  };
}
