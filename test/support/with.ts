/**
 * Tests that need what not every machine has, or what somebody has to ask for: without it they are skipped, and standard error
 * says what it is.
 */
import {describe, test} from '@jest/globals';

/** @param thing undefined or false where it is not there */
function isThere(thing: unknown, name: string): boolean {
  const there = thing !== undefined && thing !== false;
  if (!there) process.stderr.write(`skipped without ${name}\n`);
  return there;
}

export const describeWith = (thing: unknown, name: string): typeof describe.skip =>
  isThere(thing, name) ? describe : describe.skip;

export const testWith = (thing: unknown, name: string): typeof test.skip =>
  isThere(thing, name) ? test : test.skip;
