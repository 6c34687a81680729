import type {Event, EventSink} from '../model/events.js';
import {printable, printableEvent, printableLines} from './printable.js';

/** Presents a run. Only reporters write to the terminal while a command runs. */
export interface Reporter {
  /** Called for every event, in order; the summary is the last one. */
  readonly event: (event: Event) => void;
  /** Called for every line of the command's result (a module of `discover`, a row of `bench`). */
  readonly product: (product: Product) => void;
  /** Called once, after everything else. */
  readonly close: () => void;
}

/** One line of a command's result: text for people, and the same as a JSON object. */
export interface Product {
  /** One line without line break, unless `hasLines`. */
  readonly text: string;
  /** It has several lines, and nothing in it that is not ours to break. */
  readonly hasLines?: boolean;
  /** The object; a product without one is for people only (the head of a table). */
  readonly record?: {readonly type: string; readonly [field: string]: unknown};
}

/** Receives the result of a command. */
export interface ProductSink {
  readonly product: (product: Product) => void;
}

/** A reporter that gets nothing which a terminal would obey. */
export function printableReporter(reporter: Reporter): Reporter {
  return {
    ...reporter,
    event(event) {
      reporter.event(printableEvent(event));
    },
    product(product) {
      const {text, hasLines = false} = product;
      reporter.product({...product, text: hasLines ? printableLines(text) : printable(text)});
    },
  };
}

/** Makes one sink of several reporters; `now` gives the time stamps, in milliseconds since the epoch. */
export function sinkOf(reporters: readonly Reporter[], now: () => number): EventSink & ProductSink {
  return {
    emit(input) {
      const event: Event = {...input, time: now()};
      for (const reporter of reporters) reporter.event(event);
    },
    product(product) {
      for (const reporter of reporters) reporter.product(product);
    },
  };
}
