import {exactStatSync, readdirSync} from '../../fs/recorded-fs.js';
import {FILE_STATE_SIZE, readFilePaths, readHeader} from './dump-format.js';

/** Whether the files that a start with this snapshot compares are still as they were when it was made. */
export function isUpToDate(snapshot: Buffer): boolean {
  const header = readHeader(snapshot);
  if (!header.ok) return false;
  return readFilePaths(snapshot, header.value).every((path, i) => {
    const start = header.value.fileOffset + i * FILE_STATE_SIZE;
    return isAsIn(path, snapshot.subarray(start, start + FILE_STATE_SIZE));
  });
}

/** Whether a file is in the state of a `ff_file_state`, as compare_files() of src/runtime/snapshot/start-conditions.c sees it. */
function isAsIn(path: string, state: Buffer): boolean {
  const [device, inode, mode, size, ...times] = Array.from({length: 8}, (_, i) =>
    state.readBigUInt64LE(8 * i),
  );
  const now = exactStatSync(path);
  if (now === undefined) return state.every((byte) => byte === 0);
  if (now.dev !== device || now.ino !== inode) return false;
  if (mode === (now.mode | ONLY_EXAMINED)) return true;
  if (now.mode !== mode) return false;
  const found = [now.mtimeNs, now.ctimeNs].flatMap((time) => [time / BILLION, time % BILLION]);
  const isSame = (count: number): boolean => times.slice(0, count).every((time, i) => time === found[i]);
  if (now.isDirectory()) return isSame(2) || hashNames(readdirSync(path)) === size;
  return now.size === size && isSame(4);
}

/** FF_ONLY_EXAMINED of src/runtime/snapshot/restore.h. */
const ONLY_EXAMINED = 1n << 32n;
const BILLION = 1_000_000_000n;

/** The names in a directory, in any order, without what imports add to it: hash_names() of the same file. */
export function hashNames(names: readonly string[]): bigint {
  let sum = 0n;
  for (const name of names) {
    if (name.startsWith('.') || name === '__pycache__') continue;
    let hash = 0xcbf29ce484222325n;
    for (const byte of Buffer.from(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    sum = BigInt.asUintN(64, sum + hash);
  }
  return sum;
}
