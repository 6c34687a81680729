import type {TextStream} from '../../src/report/stream.js';

/** A stream that keeps what is written to it, and never fails. */
export function textStream(terminal?: {
  readonly columns: number;
}): TextStream & {readonly text: () => string} {
  let written = '';
  return {
    write(text) {
      written += text;
    },
    on() {
      // Never fails.
    },
    isTTY: terminal !== undefined,
    columns: terminal?.columns,
    text: () => written,
  };
}
