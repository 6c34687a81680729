import type {ActionId, Outcome, Step} from './action.js';
import type {Failure} from './failure.js';

/** The reason for the outcome of an action: one line of text. */
export type Reason = string;

/** The events of a run. Reporters present them; nothing else writes to the terminal. */
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
/** A phase of the run with a name ("compiling CPython"); actions happen inside phases. */
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
  /** The total size of its outputs; missing for outputs that do not exist yet (in a dry run). */
  readonly bytes?: number;
}
export interface ActionFailed extends Base {
  readonly type: 'action-failed';
  readonly id: ActionId;
  readonly step: Step;
  readonly failure: Failure;
  readonly ms: number;
  /** The build can do without the action. */
  readonly optional?: true;
}
/** A cache look-up for an action: first local, then remote, if there is a remote cache. */
export interface CacheLookup extends Base {
  readonly type: 'cache-lookup';
  readonly id: ActionId;
  /** The cache that had it. */
  readonly found: 'cached' | 'remote' | null;
  readonly ms: number;
}
/** What a tool printed while an action ran, whole lines. */
export interface ToolOutput extends Base {
  readonly type: 'tool-output';
  readonly id: ActionId;
  readonly text: string;
}
/** Information that is not a problem. */
export interface Notice extends Base {
  readonly type: 'notice';
  readonly message: string;
  /** It belongs to work that was done: a run with nothing to do does not repeat it. */
  readonly ofWork?: true;
  /** It holds as long as nothing changes that the run depends on: a run with nothing to do repeats it. */
  readonly isLasting?: true;
}
export interface Warning extends Base {
  readonly type: 'warning';
  readonly message: string;
  /** The output of a tool or program, several lines, shown below the message. */
  readonly details?: string;
  readonly hint?: string;
  /** As in `Notice`. */
  readonly isLasting?: true;
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
  /** Only from `relink`: how the executable was made. */
  readonly method?: 'link' | 'graft' | undefined;
  readonly sha256: string | null;
  readonly wallMs: number;
  readonly actions: ActionCounts;
  readonly executed: readonly ActionId[];
  /** Only from a dry run: whether a build has more to do than its actions, such as packing a release. */
  readonly pending?: boolean | undefined;
  /** Only from `bench`: ratios of stage 2 to stage 1. */
  readonly ratios?: Readonly<Record<string, {readonly wall: number; readonly instructions: number | null}>>;
}

/** An event without its time stamp, as callers give it. */
export type EventInput = Event extends infer E ? (E extends Event ? Omit<E, 'time'> : never) : never;

/** Where events go. */
export interface EventSink {
  emit(event: EventInput): void;
}
