import {exactStatSync, readdirSync, readFileSync} from '../../fs/recorded-fs.js';
import {FILE_STATE_SIZE, readFilePaths, readHeader} from './dump-format.js';
import {sumOfWords} from './header-checksum.js';

/** The files that a start with this snapshot compares and that are not as they were when it was made. */
export function changedFiles(snapshot: Buffer): readonly string[] {
  const header = readHeader(snapshot);
  if (!header.ok) return [];
  const {fileOffset, portable} = header.value;
  const changed = readFilePaths(snapshot, header.value).filter((path, i) => {
    const start = fileOffset + i * FILE_STATE_SIZE;
    return !isAsIn(path, snapshot.subarray(start, start + FILE_STATE_SIZE), portable !== 0);
  });
  return [...new Set(changed)];
}

/** Whether a file is in the state of a `ff_file_state`, as ff_compare_files() of src/runtime/snapshot/compared-files.c sees it. */
function isAsIn(path: string, state: Buffer, isPortable: boolean): boolean {
  const [device, inode, mode, size, ...times] = Array.from({length: 8}, (_, i) =>
    state.readBigUInt64LE(8 * i),
  );
  const content = state.readBigUInt64LE(64);
  const now = exactStatSync(path);
  if (now === undefined) return state.every((byte) => byte === 0);
  if (!isPortable && (now.dev !== device || now.ino !== inode)) return false;
  const ownMode = isPortable ? now.mode & KIND : now.mode;
  if (mode === (ownMode | ONLY_EXAMINED)) return true;
  if (ownMode !== mode) return false;
  const found = [now.mtimeNs, now.ctimeNs].flatMap((time) => [time / BILLION, time % BILLION]);
  const isSame = (count: number): boolean => times.slice(0, count).every((time, i) => time === found[i]);
  if (now.isDirectory()) return isSame(2) || hashNames(readdirSync(path)) === size;
  if (now.size !== size || !isSame(2)) return false;
  // A new link to a file changes its change time, too.
  return isPortable || isSame(4) || (content !== 0n && sumOfWords(readFileSync(path)) === content);
}

/** Writes the present state of a file into a snapshot, in place. False if it is no file whose state a start compares. */
export function writeState(snapshot: Buffer, path: string): boolean {
  const header = readHeader(snapshot);
  const now = exactStatSync(path);
  if (!header.ok || now?.isFile() !== true) return false;
  const paths = readFilePaths(snapshot, header.value);
  if (!paths.includes(path)) return false;
  const times = [now.mtimeNs, now.ctimeNs].flatMap((time) => [time / BILLION, time % BILLION]);
  for (const [i, each] of paths.entries()) {
    if (each !== path) continue;
    for (const [k, value] of [now.dev, now.ino, now.mode, now.size, ...times].entries()) {
      snapshot.writeBigUInt64LE(value, header.value.fileOffset + i * FILE_STATE_SIZE + 8 * k);
    }
  }
  return true;
}

/** FF_ONLY_EXAMINED of src/runtime/snapshot/restore.h. */
const ONLY_EXAMINED = 1n << 32n;
/** S_IFMT: what of a mode an archive keeps (ff_make_portable()). */
const KIND = 0o170000n;
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
