import type {Digest} from '../model/digest.js';

/** Put in when the sources are compiled, by whatever compiles them (scripts/code-digests.mjs). */
declare const FLASHFREEZE_GENERATOR: Digest;

/** What identifies the code generator in the keys of actions: the digest of its code as it was compiled. */
export const GENERATOR_DIGEST = FLASHFREEZE_GENERATOR;
