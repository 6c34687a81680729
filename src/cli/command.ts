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

/** The input of a command. */
export interface Session extends ProductSink {
  readonly invocation: Invocation;
  readonly context: HostContext;
  /** The working directory of the command. */
  readonly cwd: string;
}

/** The result of a command, for the summary. */
export type CommandEnd = RunEnd;

/** A file in `commands/`. */
export interface CommandModule {
  readonly run: (session: Session) => Promise<CommandEnd>;
}
