import {fuzz} from '../fuzz.js';

/** Import trees: modules that change the import system while it works. */
export const gate = (words: readonly string[]): Promise<boolean> => fuzz('trees', words);
