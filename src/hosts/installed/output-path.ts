import {lstat, realpath} from '../../fs/recorded-fs.js';
import type {Installation} from '../../cpython/interpreter/installation/installation.js';
import {type Result, fail} from '../../model/result.js';
import {checkReplaceable} from '../link/place-output.js';

/** Fails with OUTPUT if the output would overwrite the original. */
export async function checkOut(out: string, {target, baseExecutable}: Installation): Promise<Result<void>> {
  const there = await realpath(out).catch(() => undefined);
  const originals = await Promise.all(
    [target.executable, baseExecutable].map((path) => realpath(path).catch(() => path)),
  );
  if (there === undefined || !originals.includes(there)) {
    return checkReplaceable(out, await lstat(out).catch(() => undefined));
  }
  return fail('OUTPUT', `--out ${out} is the installed Python itself`, {
    hint: 'use another --out: the installation is never changed',
  });
}
