import {renameSync, writeFileSync} from 'node:fs';
import {removeFileSync} from '../fs/removal.js';
import {messageOf} from '../model/errno.js';
import {failure, type Failure} from '../model/failure.js';
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
      const temporary = `${path}.${process.pid}.new`;
      try {
        writeFileSync(temporary, render(recorder.recording()));
        renameSync(temporary, path);
      } catch (error) {
        problem = failure('IO', `cannot write ${what}: ${messageOf(error)}`);
        removeFileSync(temporary);
      }
    },
    failure: () => problem,
  };
}
