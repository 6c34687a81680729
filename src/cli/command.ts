import type {HostContext} from '../pipeline/build-options.js';
import type {RunEnd} from '../pipeline/run-events.js';
import type {ProductSink} from '../report/reporter.js';
import type {OptionValues} from './args/option-table.js';

/** A command as it was called, with everything that the configuration file added. */
export interface Invocation {
  readonly command: string;
  /** The word after the command, as it was typed. */
  readonly word: string | undefined;
  readonly options: OptionValues;
}

/** What a command gets. */
export interface Session extends ProductSink {
  readonly invocation: Invocation;
  readonly context: HostContext;
  /** The folder that the command was called in. */
  readonly cwd: string;
}

/** What a command came to; it goes into the summary. */
export type CommandEnd = RunEnd;

/** A file in `commands/`. */
export interface CommandModule {
  readonly run: (session: Session) => Promise<CommandEnd>;
}
