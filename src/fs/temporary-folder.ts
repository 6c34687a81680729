import {mkdtemp} from 'node:fs/promises';
import {join} from 'node:path';
import {err, type Result} from '../model/result.js';
import {attempt} from './files.js';
import {removeTree} from './removal.js';
import {temporaryPlace} from './temporary-place.js';

/**
 * Calls `use` with a new directory in that for temporary files, which only this user may enter, and removes it afterwards. Fails with IO, and
 * as `use` does.
 * @param name what it is for, a part of its name
 */
export async function withTemporaryFolder<T>(
  name: string,
  use: (path: string) => Promise<Result<T>>,
): Promise<Result<T>> {
  const place = temporaryPlace();
  const made = await attempt('create a temporary directory in', place, () =>
    mkdtemp(join(place, `flashfreeze-${name}-`)),
  );
  if (!made.ok)
    return err({...made.failure, hint: 'set TMPDIR to a directory that exists and can be written'});
  try {
    return await use(made.value);
  } finally {
    await removeTree(made.value);
  }
}
