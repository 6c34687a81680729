import type {Digest} from '../../model/digest.js';

/** What a run knows about a server. */
export interface Known {
  /** Keys without a usable result, which are not requested again. */
  readonly missing: Set<Digest>;
  /** Keys of results on the server with missing files. */
  readonly incomplete: Set<Digest>;
  /** Files on the server with the right content. */
  readonly present: Set<Digest>;
  /** Files on the server whose content does not match their digest. */
  readonly wrong: Set<Digest>;
}

export function createServerKnowledge(): Known {
  return {missing: new Set(), incomplete: new Set(), present: new Set(), wrong: new Set()};
}
