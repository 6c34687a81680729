import type {Digest} from '../../model/digest.js';

/** What was learned of a server in a run. */
export interface Known {
  /** Keys under which there is no result that can be used: they are not asked for again. */
  readonly missing: Set<Digest>;
  /** Keys of results that are there, and of whose files some are not. */
  readonly incomplete: Set<Digest>;
  /** Files that are there, and right. */
  readonly present: Set<Digest>;
  /** Files that are there, and are not what their name says. */
  readonly wrong: Set<Digest>;
}

export function nothingKnown(): Known {
  return {missing: new Set(), incomplete: new Set(), present: new Set(), wrong: new Set()};
}
