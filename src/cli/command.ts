import type {HostContext} from '../pipeline/build-options.js';
import type {RunEnd} from '../pipeline/run-events.js';
import type {ProductSink} from '../report/reporter.js';
import type {OptionName, OptionValues} from './args/option-table.js';

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
  /** Every command, by its name. */
  readonly commands: Readonly<Record<string, CommandSpec>>;
}

/** The result of a command, for the summary. */
export type CommandEnd = RunEnd;

/** A file in `commands/`. */
export interface CommandModule {
  readonly run: (session: Session) => Promise<CommandEnd>;
}

export interface CommandWord {
  readonly name: string;
  readonly describe: string;
  readonly choices?: readonly string[];
  /** How it is written where it is several words to a shell, with its quotes. */
  readonly example?: string;
  /** What a shell offers for it, if not the choices. */
  readonly completions?: readonly string[] | 'files';
}

/** What the tables say of a command. */
export interface CommandSpec {
  readonly summary: string;
  readonly options: readonly OptionName[];
  /** The argument that may follow the command; it is required if it has `choices`. */
  readonly word?: CommandWord;
  /** Not in the help. */
  readonly hidden?: boolean;
  /** Its result goes to stdout, so the log of its run goes to stderr. */
  readonly yields: boolean;
  /** Loads its code only when it runs, so that other commands start faster. */
  readonly load: () => Promise<CommandModule>;
}
