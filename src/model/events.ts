import type {ActionId, Outcome, Step} from './action.js';
import type {Failure} from './failure.js';

/** Why an action was looked at the way it was: one line for people. */
export type Reason = string;

/** Everything that happens in a run. Reporters turn these into words; nothing else writes to the terminal. */
export type Event =
  | CommandStarted
  | PhaseStarted
  | PhaseFinished
  | ActionStarted
  | ActionFinished
  | ActionFailed
  | CacheLookup
  | ToolOutput
  | Notice
  | Warning
  | CommandFailed
  | Summary;

interface Base {
  /** Milliseconds since the epoch. */
  readonly time: number;
}
export interface CommandStarted extends Base {
  readonly type: 'command-started';
  readonly command: string;
}
/** A stretch of the run that people recognise ("compiling CPython"); actions happen inside phases. */
export interface PhaseStarted extends Base {
  readonly type: 'phase-started';
  readonly phase: string;
}
export interface PhaseFinished extends Base {
  readonly type: 'phase-finished';
  readonly phase: string;
  readonly ms: number;
}
export interface ActionStarted extends Base {
  readonly type: 'action-started';
  readonly id: ActionId;
  readonly step: Step;
  readonly reason: Reason;
}
export interface ActionFinished extends Base {
  readonly type: 'action-finished';
  readonly id: ActionId;
  readonly step: Step;
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly ms: number;
  /** The size of its outputs together; not there for outputs that do not exist yet (in a dry run). */
  readonly bytes?: number;
}
export interface ActionFailed extends Base {
  readonly type: 'action-failed';
  readonly id: ActionId;
  readonly step: Step;
  readonly failure: Failure;
  readonly ms: number;
}
/** The caches were asked for the result of an action: the local one, then the remote one, if there is one. */
export interface CacheLookup extends Base {
  readonly type: 'cache-lookup';
  readonly id: ActionId;
  /** Which of them had it. */
  readonly found: 'cached' | 'remote' | null;
  readonly ms: number;
}
/** What a tool printed while an action ran, whole lines. */
export interface ToolOutput extends Base {
  readonly type: 'tool-output';
  readonly id: ActionId;
  readonly text: string;
}
/** Something worth knowing that is not a problem. */
export interface Notice extends Base {
  readonly type: 'notice';
  readonly message: string;
}
export interface Warning extends Base {
  readonly type: 'warning';
  readonly message: string;
  readonly hint?: string;
}
/** The run as a whole failed. */
export interface CommandFailed extends Base {
  readonly type: 'error';
  readonly failure: Failure;
}

export interface ActionCounts {
  readonly executed: number;
  readonly cached: number;
  readonly remote: number;
  readonly fresh: number;
  readonly failed: number;
}
/** The last event of every run. */
export interface Summary extends Base {
  readonly type: 'summary';
  readonly ok: boolean;
  readonly command: string;
  readonly python: string | null;
  readonly modules: number;
  readonly output: string | null;
  readonly stage1: string | null;
  readonly sha256: string | null;
  readonly wallMs: number;
  readonly actions: ActionCounts;
  readonly executed: readonly ActionId[];
  /** Only from `bench`: stage 2 over stage 1. */
  readonly ratios?: Readonly<Record<string, {readonly wall: number; readonly instructions: number | null}>>;
}

/** An event without its time stamp, as callers give it. */
export type EventInput = Event extends infer E ? (E extends Event ? Omit<E, 'time'> : never) : never;

/** Where events go. */
export interface EventSink {
  emit(event: EventInput): void;
}
