import {type Result, fail, ok} from '../../model/result.js';

/**
 * Checks that the ways to switch an overlay on can name its directory: PYTHONPATH is divided at colons (Modules/getpath.py, DELIM), and a
 * line of a `.pth` file ends at a line break (Lib/site.py, addpackage()). Fails with OUTPUT.
 */
export function checkOverlayFolder(out: string): Result<void> {
  const [character] = /[:\n\r]/.exec(out) ?? [];
  if (character === undefined) return ok();
  const name = character === ':' ? 'a colon' : 'a line break';
  return fail('OUTPUT', `the directory of an overlay cannot have ${name} in its path: ${out}`, {
    hint: 'Python would look in another directory, and run what it finds there; choose another --out',
  });
}
