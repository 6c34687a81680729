import type {Digest} from '../../model/digest.js';

/** Put in when the sources are compiled, by whatever compiles them (scripts/code-digests.mjs). */
declare const FLASHFREEZE_LINKING: Digest;

/**
 * What identifies, in keys and proofs, the code that links images and checks what was linked: after an edit of it, interpreters are
 * linked and checked again.
 */
export const LINKING = {name: 'linking', digest: FLASHFREEZE_LINKING} as const;
