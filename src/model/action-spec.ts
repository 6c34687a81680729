import type {ActionId, Artifact, OutputSpec, Secrecy, ToolIdentity} from './action.js';
import type {Json} from './canonical-json.js';
import type {Result} from './result.js';

/** When a job gets a slot: `early` if many others wait for its result, `late` if only the end of the run needs it. */
export type JobTurn = 'early' | 'normal' | 'late';

/** One step of the build, with everything that its result depends on declared. */
export interface ActionSpec {
  readonly id: ActionId;
  readonly tools: readonly ToolIdentity[];
  /** Whatever shapes the result and is neither a file nor the environment: flags, names, versions. No absolute paths. */
  readonly arguments: Json;
  /** The environment variables that children get, all of them that matter. */
  readonly environment: Readonly<Record<string, string>>;
  readonly inputs: readonly Artifact[];
  readonly outputs: readonly OutputSpec[];
  /**
   * `shared`: results go to the store and come from there. `in-place`: the action works in a directory of its own that is
   * too large or too dependent on its path to be stored; its declared outputs only prove that the work is still there.
   */
  readonly storage: 'shared' | 'in-place';
  /** That of its outputs, if its inputs do not say it. */
  readonly secrecy?: Secrecy;
  /**
   * Why its outputs are not up to date although nothing that is declared has changed: what the action itself found out that its result
   * depends on, and that is another now.
   */
  readonly outdated?: readonly string[];
  /** Whether the build can do without its outputs: its failure is reported with the run, not as an error of the run. */
  readonly isOptional?: boolean;
  /** Whether it works in this process and starts no other: it takes no job slot, so that the slots are left to processes. */
  readonly inProcess?: boolean;
  /** When it gets a job slot, among the actions that wait for one. */
  readonly turn?: JobTurn;
  /** Does the work: writes every output to `context.outputs[name]`. Called only if no earlier result can be used. */
  readonly execute: (context: ExecuteContext) => Promise<Result<void>>;
}

export interface ExecuteContext {
  readonly signal: AbortSignal;
  /** Where to write, by output name. For `shared` a temporary file, moved into place when the action is done. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Passes on the output of a tool (warnings of a compiler, for example), in whole lines. */
  readonly log: (text: string) => void;
}
