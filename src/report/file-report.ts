import {writeFileAtomicSync} from '../fs/fresh-file.js';
import type {Failure} from '../model/failure.js';
import {recordTimeline, type Timeline} from './timeline.js';
import type {Reporter} from './reporter.js';

/** A reporter that writes a file at the end of the run. */
export interface FileReporter extends Reporter {
  /** Why the file could not be written, if it could not. */
  readonly failure: () => Failure | undefined;
}

/**
 * Records a run, and writes what `render` makes of it to `path` atomically.
 * @param what how people call it (`the trace`)
 */
export function fileReporter(
  path: string,
  what: string,
  render: (recording: Timeline) => string,
): FileReporter {
  const recorder = recordTimeline();
  let problem: Failure | undefined;
  return {
    event: recorder.event,
    product: recorder.product,
    close() {
      const written = writeFileAtomicSync(path, render(recorder.recording()), what);
      if (!written.ok) problem = written.failure;
    },
    failure: () => problem,
  };
}
