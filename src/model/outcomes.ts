import type {ActionId} from './action.js';
import type {ActionCounts} from './events.js';

/** What a build produced. */
export interface BuildOutcome {
  /** `3.13.15` */
  readonly python: string;
  /** How many modules are frozen. */
  readonly modules: number;
  /** The new interpreter, or the directory of an overlay; null when only images were asked for. */
  readonly output: string | null;
  /** The interpreter that CPython's own build made; null for an installed Python. */
  readonly stage1: string | null;
  /** How an installed Python's new executable was made; absent for what is not one. */
  readonly method?: 'link' | 'graft' | undefined;
  /** sha256 of the new interpreter, or of an overlay's shared object. */
  readonly sha256: string | null;
  /** After a dry run: whether a build has more to do than its actions. */
  readonly pending?: boolean | undefined;
  readonly actions: ActionCounts;
  /** The actions that ran, in the order in which they ended. */
  readonly executed: readonly ActionId[];
}

/** A difference between an image and a fresh compile. */
export interface ImageDifference {
  readonly module: string;
  /** The qualified name of the code object. */
  readonly where: string;
  readonly field: string;
  readonly detail: string;
  /** The hash seed of the fresh compile. */
  readonly seed: string;
}

/** What was found of a snapshot. */
export interface SnapshotReport {
  /** How many modules the snapshot has imported. */
  readonly modules: number;
  readonly bytes: number;
  /** Why it is not, or no longer, what two processes agreed on when it was made; null when it is. */
  readonly problem: string | null;
  /** Files that changed, or words of memory that differ. */
  readonly details: readonly string[];
  /** `equal` when a process of now leaves the same memory, or why none was made; null when there is a problem. */
  readonly again: string | null;
}

/** What a comparison of images with fresh compiles found. */
export interface VerifyReport {
  /** `3.13.15` */
  readonly python: string;
  /** How many images were compared. */
  readonly modules: number;
  /** How many regular expressions were compared. */
  readonly expressions: number;
  /** How many source texts were compared. */
  readonly snippets: number;
  readonly differences: readonly ImageDifference[];
  /** Of an executable with a snapshot. */
  readonly snapshot?: SnapshotReport | undefined;
}
