import {fuzz} from '../fuzz.js';

/** Whole programs: layouts, names, encodings, links, bytecode, ways to start. */
export const gate = (words: readonly string[]): Promise<boolean> => fuzz('programs', words);
