/** What tests need and this machine does not have. `npm test` lists it at the end, with the files that skipped something. */
import {appendFileSync} from 'node:fs';
import {expect} from '@jest/globals';

const ROOT = `${process.cwd()}/`;

/** Notes that a test file skips something, in the list of the run or, where there is none, on standard error. */
export function noteNotFound(name: string): void {
  const file = expect.getState().testPath?.replace(ROOT, '') ?? 'setup';
  const list = process.env['FLASHFREEZE_TEST_NOT_FOUND'];
  if (list === undefined) process.stderr.write(`${file}: skipped without ${name}\n`);
  else appendFileSync(list, `${JSON.stringify({name, file})}\n`);
}
