import {cpSync, lstatSync, mkdirSync, readdirSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {PACKAGE, run} from '../../support/rig.js';
import {temporaryDirectory} from './temporary-directory.js';

/** What is made in a checkout, or belongs to one. */
const LEFT_OUT = ['.git', '.flashfreeze', 'coverage', 'dist', 'dist.new', 'node_modules'];

/** Copies this checkout to a directory of its own, where a test can edit and compile it. */
export function copyCheckout(): string {
  const copy = temporaryDirectory('checkout');
  for (const name of readdirSync(PACKAGE)) {
    if (!LEFT_OUT.includes(name)) cpSync(join(PACKAGE, name), join(copy, name), {recursive: true});
  }
  // Links to the packages, not to their directory: an installation into the copy must not empty that.
  const [from, to] = [PACKAGE, copy].map((checkout) => join(checkout, 'node_modules')) as [string, string];
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    if (lstatSync(path).isFile()) cpSync(path, join(to, name));
    else symlinkSync(path, join(to, name));
  }
  return copy;
}

/** `npm run build` in a checkout. */
export async function compileCheckout(checkout: string): Promise<void> {
  const {exitCode, stderr} = await run('npm', ['run', 'build'], {cwd: checkout});
  if (exitCode !== 0) throw new Error(stderr);
}
