import type {Digest} from '../model/digest.js';

/** Put in when the sources are compiled, by whatever compiles them (scripts/code-digests.mjs). */
declare const FLASHFREEZE_READERS: Digest;

/**
 * What identifies, in keys and memos, the code that asks Pythons and compilers and reads what they answer: a result of code that
 * was edited since is not used again.
 */
export const READERS = {name: 'flashfreeze', digest: FLASHFREEZE_READERS} as const;
