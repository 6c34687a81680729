import type {Digest} from '../../model/digest.js';

/** What a run knows about a server. */
export interface Known {
  /** Keys without a usable result, which are not requested again. */
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
