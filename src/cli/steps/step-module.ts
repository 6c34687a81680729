import type {ParseArgsConfig} from 'node:util';
import type {Result} from '../../model/result.js';

/** What a step runs with. */
export interface StepContext {
  /** All of the environment of children. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Relative paths start here. */
  readonly cwd: string;
}

/** The options of a step by name; a step asks for each with `text`, `flag` or `path`. */
export interface StepValues {
  /** Fails with USAGE when it was not given. */
  readonly text: (name: string) => string;
  readonly optional: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
}

/** A step: a file of this directory. */
export interface StepModule {
  readonly options: NonNullable<ParseArgsConfig['options']>;
  readonly run: (values: StepValues, context: StepContext) => Promise<Result<void>>;
}
