import type {Known} from '../support/compare-suites.js';

/** Tests of CPython that assert what freezing changes on purpose, each with its reason. */
export const KNOWN: readonly Known[] = [];
