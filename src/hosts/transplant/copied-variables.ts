import {writeFile} from 'node:fs/promises';
import {dynamicRelocations, elfSymbols, readElf} from '../../codegen/object-file/read-elf.js';
import {attempt} from '../../fs/files.js';
import {readFile} from '../../fs/recorded-fs.js';
import {withoutRecording} from '../../fs/recording.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {CopiedVariable} from './executable-object.js';

const R_X86_64_COPY = 5;
/** Where a relocation has its type and its symbol, and what it adds (elf(5), Elf64_Rela). */
const [TYPE_AT, SYMBOL_AT, ADDEND_AT] = [8, 12, 16];

/**
 * Has the dynamic linker copy variables of libraries, such as `stdout`, to their places in a linked executable. The linker makes such relocations only for
 * places that it chooses; here it has made others there, which become these. Fails with LINK if it has not, and with IO.
 */
export async function copyVariables(path: string, copies: readonly CopiedVariable[]): Promise<Result<void>> {
  if (copies.length === 0) return ok();
  const done = await attempt('write', path, async (): Promise<Result<void>> => {
    const file = await withoutRecording(() => readFile(path));
    const elf = readElf(file);
    const symbols = elf === undefined ? [] : elfSymbols(elf, 'dynamic');
    const relocations = elf === undefined ? [] : dynamicRelocations(elf, symbols);
    for (const {name, address} of copies) {
      const relocation = relocations.find(({at}) => at === address);
      const symbol = symbols.findIndex((each) => each.name === name && each.value === address);
      if (relocation === undefined || symbol < 0) {
        return fail('LINK', `cannot link ${path}: ${name} of a library has no place in it`);
      }
      file.writeUInt32LE(R_X86_64_COPY, relocation.offset + TYPE_AT);
      file.writeUInt32LE(symbol, relocation.offset + SYMBOL_AT);
      file.writeBigInt64LE(0n, relocation.offset + ADDEND_AT);
    }
    await writeFile(path, file);
    return ok();
  });
  return done.ok ? done.value : done;
}
