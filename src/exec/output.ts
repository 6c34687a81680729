import {StringDecoder} from 'node:string_decoder';

/** Takes the bytes of a stream and keeps a bounded part of them. */
export interface Collector {
  readonly add: (chunk: Buffer) => void;
  /** The text so far; where the middle is missing, a line says how much. */
  readonly text: () => string;
}

/**
 * Keeps the first and the last half of `limit` bytes: a tool prints at the start what it does, and at the end what
 * went wrong.
 */
export function collectBounded(limit: number): Collector {
  const half = Math.floor(limit / 2);
  const head: Buffer[] = [];
  let headBytes = 0;
  const tail: Buffer[] = [];
  let tailBytes = 0;
  let dropped = 0;
  return {
    add(chunk) {
      const forHead = chunk.subarray(0, half - headBytes);
      if (forHead.length > 0) head.push(forHead);
      headBytes += forHead.length;
      const rest = chunk.subarray(forHead.length);
      if (rest.length === 0) return;
      tail.push(rest);
      tailBytes += rest.length;
      // Whole chunks only: the exact cut is made once, in `text`.
      for (let first = tail[0]; first && tailBytes - first.length >= half; first = tail[0]) {
        tail.shift();
        tailBytes -= first.length;
        dropped += first.length;
      }
    },
    text() {
      const end = Buffer.concat(tail);
      const cut = Math.max(0, end.length - half);
      if (dropped + cut === 0) return Buffer.concat([...head, end]).toString('utf8');
      const gap = `\n[${dropped + cut} bytes left out]\n`;
      return Buffer.concat(head).toString('utf8') + gap + end.subarray(cut).toString('utf8');
    },
  };
}

/** A line without end is passed on in pieces of this many characters. */
const LONGEST_LINE = 65_536;

/** Turns the bytes of a stream into whole lines. */
export interface LineSplitter {
  readonly add: (chunk: Buffer) => void;
  /** Passes on what came after the last line break. */
  readonly end: () => void;
}

/** Calls `onLines` with one or more whole lines at a time, without the last line break. */
export function splitLines(onLines: (text: string) => void): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  return {
    add(chunk) {
      pending += decoder.write(chunk);
      const lineEnd = pending.lastIndexOf('\n');
      if (lineEnd >= 0) {
        onLines(pending.slice(0, lineEnd));
        pending = pending.slice(lineEnd + 1);
      } else if (pending.length > LONGEST_LINE) {
        onLines(pending);
        pending = '';
      }
    },
    end() {
      pending += decoder.end();
      if (pending !== '') onLines(pending);
      pending = '';
    },
  };
}
