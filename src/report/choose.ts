import {jsonReporter} from './json-lines.js';
import {plainReporter} from './console/plain.js';
import {quietReporter} from './console/quiet.js';
import {printableReporter, type Reporter} from './reporter.js';
import type {Writer} from './stream.js';
import {styleFor} from './console/style.js';
import {systemClock, terminalReporter} from './console/terminal.js';

/** What the user wants to see of a run. */
export interface View {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly dryRun: boolean;
  /** Programs may read the result of the run: stdout is for it alone, and the log goes to stderr. */
  readonly yields: boolean;
}

/**
 * The reporters for a run. A terminal gets a live line, unless the run is part of something else whose lines it would
 * disturb: make sets MAKELEVEL for its children, and most CI systems set CI.
 */
export function reportersFor(
  view: View,
  stdout: Writer,
  stderr: Writer,
  environment: Readonly<Record<string, string | undefined>>,
): Reporter[] {
  const log = view.json || view.yields ? stderr : stdout;
  const streams = {log, errors: stderr, products: view.json ? undefined : stdout};
  const options = {
    verbose: view.verbose,
    dryRun: view.dryRun,
    style: styleFor(log.isTerminal, environment),
    errorStyle: styleFor(stderr.isTerminal, environment),
  };
  const isWatched =
    log.isTerminal && !environment['MAKELEVEL'] && !environment['CI'] && environment['TERM'] !== 'dumb';
  let words: Reporter;
  if (view.quiet) words = quietReporter(streams, options.errorStyle);
  else if (isWatched) words = terminalReporter(streams, options, systemClock);
  else words = plainReporter(streams, options);
  words = printableReporter(words);
  return view.json ? [words, jsonReporter(stdout, Date.now)] : [words];
}
