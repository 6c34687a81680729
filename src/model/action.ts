import type {Digest} from './digest.js';
import type {Json} from './canonical-json.js';
import type {Result} from './result.js';

/** The kinds of work in a build, in the order in which they first appear. */
export const STEPS = [
  'configure',
  'stage1',
  'discover',
  'compile',
  'generate',
  'cc',
  'index',
  'link',
] as const;
export type Step = (typeof STEPS)[number];

/** `<step>:<module>` for work on one module, `<step>:<target>` else, such as `link:python`. */
export type ActionId = `${Step}:${string}`;

/** A file that an action reads or made: its name in key records (never an absolute path), its place, its content. */
export interface Artifact {
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  readonly digest: Digest;
  /** The action that made it, if one did. */
  readonly producer?: ActionId;
}

/** A tool, identified by what it does to outputs (content, version, target), not by where it lies. */
export interface ToolIdentity {
  readonly name: string;
  readonly digest: Digest;
}

export interface OutputSpec {
  /** Its name in records and in the store. */
  readonly name: string;
  /** Absolute path at which it is wanted. */
  readonly path: string;
  readonly executable?: boolean;
}

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
   * `shared`: results go to the store and come from there. `in-place`: the action works in a folder of its own that is
   * too large or too tied to its place to be stored; its declared outputs only witness that the work is still there.
   */
  readonly storage: 'shared' | 'in-place';
  /** Does the work: writes every output to `context.outputs[name]`. Called only when no earlier result serves. */
  readonly execute: (context: ExecuteContext) => Promise<Result<void>>;
}

export interface ExecuteContext {
  readonly signal: AbortSignal;
  /** Where to write, by output name. For `shared` a temporary file, moved into place when the action is done. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Passes on what a tool said (warnings of a compiler, say), whole lines. */
  readonly log: (text: string) => void;
}

/** How an action came to its outputs. */
export type Outcome =
  /** It ran. */
  | 'executed'
  /** Its result was in the local store. */
  | 'cached'
  /** Its result came from the remote cache. */
  | 'remote'
  /** Its outputs were already in place. */
  | 'fresh';

export interface ActionResult {
  readonly id: ActionId;
  readonly outcome: Outcome;
  /** By output name. */
  readonly outputs: Readonly<Record<string, Artifact>>;
}
