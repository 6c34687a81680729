import {readFile, realpath, recordWritten} from '../../fs/recorded-fs.js';
import {writeFileAtomic} from '../../fs/files.js';
import {indexId} from '../../codegen/tables/index-table.js';
import type {Engine} from '../../engine/engine.js';
import type {FileStamp} from '../../fs/path-state.js';
import {type Result, ok} from '../../model/result.js';
import type {FreezePlan} from '../modules/module-plan.js';

const MAGIC = 'FFSTAMP1';
/** The magic word, the index's id in hexadecimal digits, and the count. */
const HEADER_SIZE = 8 + 64 + 8;
const RECORD_SIZE = 16;

/**
 * The file beside an executable by which it checks whether a source has changed since it was frozen: `stamp_file` in
 * src/runtime/sources/stamps.c. It is not part of the executable, so that an edit that does not change the code needs no link.
 */
export function encodeStamps(
  sources: FreezePlan['sources'],
  stamps: readonly (FileStamp | undefined)[],
): Uint8Array {
  const bytes = Buffer.alloc(HEADER_SIZE + RECORD_SIZE * sources.length);
  bytes.write(MAGIC, 0, 'ascii');
  bytes.write(indexId(sources), 8, 'ascii');
  bytes.writeBigUInt64LE(BigInt(sources.length), 72);
  stamps.forEach((stamp, i) => {
    const at = HEADER_SIZE + RECORD_SIZE * i;
    bytes.writeBigInt64LE(stamp?.size ?? -1n, at);
    bytes.writeBigInt64LE(stamp?.mtimeNs ?? 0n, at + 8);
  });
  return bytes;
}

/**
 * Writes the stamps of a build's sources beside the file that holds its images, if they are not up to date.
 * Fails with IO.
 */
export async function writeStamps(images: string, plan: FreezePlan, engine: Engine): Promise<Result<void>> {
  const paths = new Map(plan.modules.map(({module, source}) => [module, source]));
  const stamps = plan.sources.map(({module}) => engine.stampOf(paths.get(module) ?? ''));
  const content = encodeStamps(plan.sources, stamps);
  const file = `${await realpath(images)}.stamps`;
  const there = await readFile(file).catch(() => undefined);
  if (there?.equals(content) === true) return ok();
  const written = await writeFileAtomic(file, content);
  recordWritten(file);
  return written;
}
