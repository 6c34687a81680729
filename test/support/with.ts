/** Tests that need what not every machine has, or what somebody has to ask for: without it they are skipped, and noted. */
import {describe, test} from '@jest/globals';
import {noteNotFound} from './not-found.js';

/** @param thing undefined or false where it is not there */
function isThere(thing: unknown, name: string): boolean {
  const there = thing !== undefined && thing !== false;
  if (!there) noteNotFound(name);
  return there;
}

export const describeWith = (thing: unknown, name: string): typeof describe.skip =>
  isThere(thing, name) ? describe : describe.skip;

export const testWith = (thing: unknown, name: string): typeof test.skip =>
  isThere(thing, name) ? test : test.skip;
