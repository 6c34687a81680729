import {writeFile} from 'node:fs/promises';
import {type ElfSymbol, elfSymbols, readElf} from '../../codegen/object-file/read-elf.js';
import {readFile} from '../../fs/recorded-fs.js';
import {attempt} from '../../fs/files.js';
import {withoutRecording} from '../../fs/recording.js';
import {type Result, fail, ok} from '../../model/result.js';

/** Bytes of a file that are to be others. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** Where a symbol has its section, its value and its size (elf(5), Elf64_Sym). */
const [SECTION_AT, VALUE_AT, SIZE_AT] = [6, 8, 16];

/**
 * What to write into an executable so that the names in `names` lead shared libraries to what the executable's own objects call, `__wrap_…`.
 * A name that is not exported needs nothing. Returns the name of a function that is exported when its other one is not.
 */
export function redirections(executable: Uint8Array, names: readonly string[]): readonly Patch[] | string {
  const elf = readElf(executable);
  const symbols = elf === undefined ? [] : elfSymbols(elf, 'dynamic');
  const exported = new Map<string, ElfSymbol>();
  for (const symbol of symbols) if (symbol.section !== 0) exported.set(symbol.name, symbol);
  const patches: Patch[] = [];
  for (const name of names) {
    const [from, to] = [exported.get(name), exported.get(`__wrap_${name}`)];
    if (from === undefined) continue;
    if (to === undefined) return name;
    const bytes = Buffer.alloc(SIZE_AT + 8 - SECTION_AT);
    bytes.writeUInt16LE(to.section, 0);
    bytes.writeBigUInt64LE(BigInt(to.value), VALUE_AT - SECTION_AT);
    bytes.writeBigUInt64LE(BigInt(to.size), SIZE_AT - SECTION_AT);
    patches.push({offset: from.offset + SECTION_AT, bytes});
  }
  return patches;
}

/** Writes `redirections` into a new executable. Fails with LINK, and with IO. */
export async function redirectExports(path: string, names: readonly string[]): Promise<Result<void>> {
  if (names.length === 0) return ok();
  return attempt('write', path, async () => {
    const file = await withoutRecording(() => readFile(path));
    const patches = redirections(file, names);
    if (typeof patches === 'string')
      return fail('LINK', `cannot link ${path}: __wrap_${patches} is not among its exported symbols`);
    for (const {offset, bytes} of patches) bytes.copy(file, offset);
    await writeFile(path, file);
    return ok();
  }).then((done) => (done.ok ? done.value : done));
}
