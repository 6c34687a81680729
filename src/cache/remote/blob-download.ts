import {createHash} from 'node:crypto';
import {open} from 'node:fs/promises';
import {attempt, ioFailure} from '../../fs/files.js';
import type {Digest} from '../../model/digest.js';
import type {Failure} from '../../model/failure.js';
import {err, ok, type Result} from '../../model/result.js';
import type {Answer} from './transport.js';

/** Takes a part of a file; false when it can take no more. */
export type Take = (chunk: Uint8Array) => Promise<boolean>;

/**
 * Writes what `transfer` passes on to a file, and gives its digest. It must be `size` bytes; more are not written. Fails with IO when the file
 * cannot be written.
 */
export async function downloadTo(
  path: string,
  size: number,
  transfer: (take: Take, end: () => Answer<Digest>) => Promise<Answer<Digest>>,
): Promise<Result<Answer<Digest>>> {
  const opened = await attempt('write', path, () => open(path, 'w'));
  if (!opened.ok) return opened;
  let broken: Failure | undefined;
  const hash = createHash('sha256');
  let taken = 0;
  const take: Take = async (chunk) => {
    taken += chunk.length;
    if (taken > size) return false;
    hash.update(chunk);
    try {
      await opened.value.writeFile(chunk);
    } catch (error) {
      broken = ioFailure('write', path, error);
    }
    return broken === undefined;
  };
  const answer = await transfer(take, () =>
    taken === size
      ? {kind: 'found', value: hash.digest('hex') as Digest}
      : {kind: 'damaged', reason: 'has not the size that it should have'},
  );
  const closed = await attempt('write', path, () => opened.value.close());
  if (broken !== undefined) return err(broken);
  return closed.ok ? ok(answer) : closed;
}
