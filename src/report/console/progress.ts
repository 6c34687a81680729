import {STEPS, type ActionId, type Step} from '../../model/action.js';
import type {Event} from '../../model/events.js';
import type {Style} from './style.js';
import {duration} from '../wording.js';

/** The progress of a run in one line. */
export interface Progress {
  /** Takes in an event. */
  readonly event: (event: Event) => void;
  /** Whether there is something to show. */
  readonly isBusy: () => boolean;
  /** The line at a time (milliseconds since the epoch), at most `columns` characters wide. */
  readonly line: (now: number, columns: number, style: Style) => string;
}

/** Counts the finished and running actions of each step, and remembers the phase that was entered last. */
export function progress(): Progress {
  const done = new Map<Step, number>();
  const running = new Map<ActionId, Step>();
  const phases: {readonly name: string; readonly since: number}[] = [];
  let begin: number | undefined;
  let said: {readonly id: ActionId; readonly text: string} | undefined;

  return {
    event(event) {
      begin ??= event.time;
      if (event.type === 'phase-started') phases.push({name: event.phase, since: event.time});
      if (event.type === 'phase-finished') {
        const index = phases.findLastIndex(({name}) => name === event.phase);
        if (index >= 0) phases.splice(index, 1);
      }
      if (event.type === 'action-started') running.set(event.id, event.step);
      if (event.type === 'tool-output') {
        const lastLine = event.text.slice(event.text.lastIndexOf('\n') + 1);
        said = {id: event.id, text: lastLine.replaceAll(/\p{Cc}+/gu, ' ').trim()};
      }
      if (event.type === 'action-finished' || event.type === 'action-failed') {
        running.delete(event.id);
        done.set(event.step, (done.get(event.step) ?? 0) + 1);
      }
    },
    isBusy: () => phases.length > 0 || running.size > 0,
    line(now, columns, style) {
      const phase = phases.at(-1);
      const elapsed = duration(Math.max(0, now - (phase?.since ?? begin ?? now)));
      const counts = STEPS.flatMap((step) => {
        const finished = done.get(step) ?? 0;
        const active = [...running.values()].filter((other) => other === step).length;
        if (finished + active === 0) return [];
        return [`${step} ${finished}${active === 0 ? '' : `+${active}`}`];
      });
      const head = phase?.name ?? [...running.keys()][0] ?? '';
      const tail = [elapsed, ...counts].join('  ');
      // The last output of a tool shows that a long action is alive.
      const aside = said !== undefined && running.has(said.id) ? said.text : '';
      const shownHead = head.slice(0, columns);
      const shownTail = `  ${[tail, aside].join('  ').trimEnd()}`.slice(0, columns - shownHead.length);
      return style('bold', shownHead) + style('dim', shownTail);
    },
  };
}
