import {errnoOf} from '../model/errno.js';

/** The part of a Node output stream that reporters need. */
export interface TextStream {
  write(text: string): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Writes text to a stream until its reader closes it. */
export interface Writer {
  /** Writes text as it is. Does nothing once the stream cannot be written any more. */
  readonly raw: (text: string) => void;
  /** Writes text and a line break. */
  readonly line: (text: string) => void;
  readonly isTerminal: boolean;
  /** The width of the terminal, in characters. */
  readonly columns: () => number;
  /** The error that ended the writing, unless it is only that the reader went away (EPIPE). */
  readonly broken: () => unknown;
}

const DEFAULT_COLUMNS = 80;

/** A reader that closed its end early (`flashfreeze discover | head -1`) has seen enough, which is not an error. */
export function writerTo(stream: TextStream): Writer {
  let open = true;
  let failure: unknown;
  stream.on('error', (error) => {
    open = false;
    if (errnoOf(error) !== 'EPIPE') failure ??= error;
  });
  const raw = (text: string): void => {
    if (open && text !== '') stream.write(text);
  };
  return {
    raw,
    line(text) {
      raw(`${text}\n`);
    },
    isTerminal: stream.isTTY === true,
    // A terminal that does not know its width says 0.
    columns: () => (stream.columns !== undefined && stream.columns > 0 ? stream.columns : DEFAULT_COLUMNS),
    broken: () => failure,
  };
}
