import type {WordStreams} from './plain.js';
import type {Reporter} from './reporter.js';
import type {Style} from './style.js';
import {failureText} from './wording.js';

/** Tells only why a run failed, and what the command was asked for. */
export function quietReporter(streams: Omit<WordStreams, 'log'>, style: Style): Reporter {
  return {
    event(event) {
      if (event.type === 'error') streams.errors.line(failureText(event.failure, style));
    },
    product({text}) {
      streams.products?.line(text);
    },
    close() {
      // Nothing is held back.
    },
  };
}
