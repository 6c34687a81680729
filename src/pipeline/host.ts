import type {Engine} from '../engine/engine.js';
import type {Artifact} from '../model/action.js';
import type {Digest} from '../model/digest.js';
import type {Result} from '../model/result.js';
import type {FreezePlan} from './modules/module-plan.js';
import type {BuildOutcome} from '../model/outcomes.js';
import type {HostContext} from './build-options.js';
import type {Places} from './build-places.js';
import type {Toolchain} from './toolchain.js';

/** The inputs of a link. */
export interface Objects {
  /** The objects of module images, in the order of the plan. */
  readonly images: readonly Artifact[];
  /** The objects of the index and of the build record. */
  readonly tables: readonly Artifact[];
  readonly runtime: readonly Artifact[];
  /** The digests of the code units, by module. */
  readonly codes: ReadonlyMap<string, Digest>;
}

/**
 * A way for images to get into a process. Everything between `prepare` and `link` is the same for all hosts: pipeline.ts.
 */
export interface Host<T extends Toolchain = Toolchain> {
  readonly kind: HostKind;
  readonly places: Places;
  /** Makes the toolchain. */
  readonly prepare: (site: Site) => Promise<Result<T>>;
  /** Links the objects, and checks that the result works. */
  readonly link: (
    objects: Objects,
    plan: FreezePlan,
    toolchain: T,
    site: Site,
  ) => Promise<Result<LinkedImages>>;
  /** Makes the result from what was linked, once that can be run with its images: its sources have stamps by then. */
  readonly complete?: (
    linked: LinkedImages,
    plan: FreezePlan,
    toolchain: T,
    site: Site,
  ) => Promise<Result<LinkedImages>>;
}

export type HostKind = 'source' | 'snapshot' | 'make' | 'relink' | 'graft' | 'transplant' | 'overlay';

/** The context of a host. */
export interface Site {
  readonly engine: Engine;
  readonly context: HostContext;
  /** All of the environment of children. */
  readonly environment: Readonly<Record<string, string>>;
}

export type Linked = Pick<BuildOutcome, 'output' | 'sha256' | 'pending'>;

/** The result of a host. */
export type LinkedImages = Linked & {
  /** The file that holds the images: an executable or a shared object. */
  readonly images: string;
};
