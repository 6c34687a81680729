import type {ActionId, Step} from '../../model/action.js';
import type {Event} from '../../model/events.js';
import type {Failure} from '../../model/failure.js';
import type {Style} from './style.js';
import {duration, failureText, indent, summaryText, warningText} from '../wording.js';

/** The text for an event: whole lines without the last line break. */
export interface Narration {
  /** For the log of the run. */
  readonly log?: string | undefined;
  /** For the error stream. */
  readonly errors?: string | undefined;
}

export interface NarratorOptions {
  /** Reports all actions, not only those that ran, and passes on the output of tools at once. */
  readonly verbose: boolean;
  /** A live line shows where the run is: phases that begin and actions that ran need no line of their own. */
  readonly live: boolean;
  /** A dry run: the summary says what would be done. */
  readonly dryRun: boolean;
  /** How the log looks, and how the error stream does: they may be different files. */
  readonly style: Style;
  readonly errorStyle: Style;
}

const SHORT_PHASE_MS = 1000;

/**
 * Steps that run alone, take minutes and print thousands of lines: one line reports their start, and their output is for
 * --verbose (it is in log files too, and the failure of such a step carries the last of it).
 */
const LONG_STEPS: readonly string[] = ['configure', 'stage1'] satisfies Step[];

/**
 * Describes a run, one event at a time. An action is one line that begins with its id, then its reason. What a tool
 * prints comes in one block below the line of its action, each line with the id before it, so that blocks never mix.
 */
export function narrator(options: NarratorOptions): (event: Event) => Narration {
  const {verbose, live, dryRun, style, errorStyle} = options;
  const pending = new Map<ActionId, string[]>();
  const told = new Set<string>();

  const block = (id: ActionId, text: string): string => indent(text, `  ${style('dim', `${id} |`)} `);
  const takeBlock = (id: ActionId): string[] => {
    const lines = pending.get(id);
    pending.delete(id);
    return lines === undefined ? [] : [block(id, lines.join('\n'))];
  };
  /** The failure of an action is often that of the run, too. It is reported once. */
  const failed = (failure: Failure): string | undefined => {
    const text = failureText(failure, errorStyle);
    if (told.has(text)) return undefined;
    told.add(text);
    return text;
  };
  const join = (lines: readonly string[]): Narration => (lines.length === 0 ? {} : {log: lines.join('\n')});

  return (event) => {
    switch (event.type) {
      case 'command-started':
        // Each build of `watch` reports its own failures.
        told.clear();
        return {};
      case 'cache-lookup':
        return {};
      case 'action-started':
        return LONG_STEPS.includes(event.step) && !live
          ? {log: `${style('cyan', event.id)}  ${event.reason} ...`}
          : {};
      case 'phase-started':
        return live ? {} : {log: `${style('bold', event.phase)} ...`};
      case 'phase-finished':
        return event.ms < SHORT_PHASE_MS ? {} : {log: `${event.phase}: done in ${duration(event.ms)}`};
      case 'action-finished': {
        const executed = event.outcome === 'executed';
        const line = `${style('cyan', event.id)}  ${executed ? '' : `${event.outcome}: `}${event.reason}`;
        const wanted = verbose || (executed && !live);
        return join([...(wanted ? [`${line} (${duration(event.ms)})`] : []), ...takeBlock(event.id)]);
      }
      case 'action-failed': {
        const said = takeBlock(event.id);
        // An interrupted action did not fail by itself; the run reports the interruption.
        if (event.failure.code === 'INTERRUPTED') return {};
        const line = `${style('red', event.id)}  failed (${duration(event.ms)})`;
        return {...join([line, ...said]), ...(event.optional ? {} : {errors: failed(event.failure)})};
      }
      case 'tool-output': {
        const isLong = LONG_STEPS.includes(event.id.split(':')[0] ?? '');
        if (verbose) return {log: block(event.id, event.text)};
        if (isLong) return {};
        const lines = pending.get(event.id);
        if (lines === undefined) pending.set(event.id, [event.text]);
        else lines.push(event.text);
        return {};
      }
      case 'notice':
        return {log: event.message};
      case 'warning':
        return {errors: warningText(event, errorStyle)};
      case 'error':
        return {errors: failed(event.failure)};
      case 'summary':
        return event.ok ? {log: summaryText(event, dryRun)} : {};
    }
  };
}
