import type {Reporter} from './reporter.js';
import {printableJson} from './printable.js';
import type {Writer} from './stream.js';

/** One JSON object a line: every event, and everything the command was asked for, each with `type` and `time`. */
export function jsonReporter(stream: Writer, now: () => number): Reporter {
  const write = (object: {readonly type: string; readonly time: number}): void => {
    const {type, time, ...rest} = object;
    stream.line(printableJson(JSON.stringify({type, time, ...rest})));
  };
  return {
    event: write,
    product({record}) {
      if (record !== undefined) write({...record, time: now()});
    },
    close() {
      // The summary was the last line.
    },
  };
}
