import type {Digest} from './digest.js';

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
  'snapshot',
] as const;
export type Step = (typeof STEPS)[number];

/** `<step>:<module>` for work on one module, `<step>:<target>` else, such as `link:python`. */
export type ActionId = `${Step}:${string}`;

/** A file that an action reads or made: its name in key records (never an absolute path), its path, its content. */
export interface Artifact {
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  readonly digest: Digest;
  /** The action that made it, if one did. */
  readonly producer?: ActionId;
  /** Who must not get it; undefined if everybody may have it. */
  readonly secrecy?: Secrecy;
}

/**
 * `private`: it is a file that other users may not read, or made from one. `local`: it is made from what a program did here, which may
 * have read such files.
 */
export type Secrecy = 'private' | 'local';

/** A tool, identified by its effect on outputs (content, version, target), not by its path. */
export interface ToolIdentity {
  readonly name: string;
  readonly digest: Digest;
}

export interface OutputSpec {
  /** Its name in records and in the store. */
  readonly name: string;
  /** The absolute path of the output. */
  readonly path: string;
  readonly executable?: boolean;
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
