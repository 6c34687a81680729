import {narrator, type NarratorOptions} from './narrator.js';
import type {Reporter} from '../reporter.js';
import type {Writer} from '../stream.js';

/** The output streams of a run. */
export interface WordStreams {
  /** What happens. */
  readonly log: Writer;
  /** Warnings and errors. */
  readonly errors: Writer;
  /** The result of the command; undefined if it goes elsewhere (`--json`). */
  readonly products: Writer | undefined;
}

export type WordOptions = Omit<NarratorOptions, 'live'>;

/** For logs and pipes: every line is final. */
export function plainReporter(streams: WordStreams, options: WordOptions): Reporter {
  const tell = narrator({...options, live: false});
  return {
    event(event) {
      const {log, errors} = tell(event);
      if (log !== undefined) streams.log.line(log);
      if (errors !== undefined) streams.errors.line(errors);
    },
    product({text}) {
      streams.products?.line(text);
    },
    close() {
      // Nothing is held back.
    },
  };
}
