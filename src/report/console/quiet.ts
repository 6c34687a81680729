import type {WordStreams} from './plain.js';
import type {Reporter} from '../reporter.js';
import type {Style} from './style.js';
import {failureText} from '../wording.js';

/** Prints only errors and the result of the command. */
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
