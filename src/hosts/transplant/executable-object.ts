import {dirname} from 'node:path';
import {type ElfSegment, PF_W, PT_LOAD, segmentsOf} from '../../codegen/object-file/elf-file.js';
import {
  type ElfFile,
  type ElfSymbol,
  dynamicRelocations,
  elfSymbols,
  readElf,
} from '../../codegen/object-file/read-elf.js';
import {roundUp} from '../../codegen/object-file/alignment.js';
import {neededVersions} from '../../codegen/object-file/symbol-versions.js';
import {fail, ok, type Result} from '../../model/result.js';
import {type Code, type FunctionEntry, replaceEntry} from './function-entry.js';

/** An executable that is about to be linked as one object. */
export interface ExecutableRequest {
  readonly path: string;
  readonly bytes: Buffer;
  /** Functions of libraries whose calls the linker sends to others (`--wrap`). */
  readonly wrapped: readonly string[];
  /** Functions of libraries for which the executable gets others, by name; ours call them as they are. */
  readonly renamed: ReadonlyMap<string, string>;
  /** Functions of the executable itself that are replaced, where it has them: `f` leads to `__wrap_f`, and `__real_f` is what it was. */
  readonly replaced: readonly string[];
}

/** An executable as an object. */
export interface ExecutableObject {
  /** The object as text for the assembler of the GNU tools or of clang. */
  readonly assembly: string;
  /** Its sections, in the order in which they lie. */
  readonly sections: readonly PlacedSection[];
  /** How many bytes of thread-local variables it has: they have to be the last ones of the executable that is linked. */
  readonly threadSize: number;
  readonly copies: readonly CopiedVariable[];
  /** The names of the libraries that it needs (DT_NEEDED). */
  readonly libraries: readonly string[];
  /** The directories in which it looks for these before the usual ones. */
  readonly runPath: readonly string[];
}

/** A section that has to lie where it did. */
export interface PlacedSection {
  readonly name: string;
  readonly address: number;
  readonly isCode: boolean;
}

/** A variable of a library that the dynamic linker copies into the executable (R_X86_64_COPY). */
export interface CopiedVariable {
  readonly name: string;
  readonly address: number;
}

/** The section of the addresses of its constructors, which our runtime calls (src/runtime/transplant/original-constructors.c), and that of thread-local variables. */
export const CONSTRUCTORS_SECTION = '.ff_original_constructors';
export const THREAD_SECTION = '.ff_original_thread';

const EM_X86_64 = 62;
const ET_EXEC = 2;
const PT_TLS = 7;
const PF_X = 1;
const STT_FUNC = 2;
const STT_TLS = 6;
const STT_GNU_IFUNC = 10;
const SHT_DYNAMIC = 6;
const [DT_NEEDED, DT_RPATH, DT_RUNPATH] = [1, 15, 29];
const [R_64, R_COPY, R_GLOB_DAT, R_JUMP_SLOT, R_RELATIVE] = [1, 5, 6, 7, 8];
const [R_DTPMOD64, R_TPOFF64] = [16, 18];

/** Where an executable gets to that could lie anywhere, and a shared library: where the others lie. */
const PLACE = 0x400000;
const PAGE = 4096;

/** Names that the linker and the compiler's own files define in every executable. */
const OF_EVERY_EXECUTABLE = new Set([
  ...['_start', '_init', '_fini', 'main', '_IO_stdin_used', '__data_start', 'data_start', '_edata', 'edata'],
  ...[
    '_end',
    'end',
    '__bss_start',
    '_etext',
    'etext',
    '__dso_handle',
    '__TMC_END__',
    '_fp_hw',
    '__executable_start',
  ],
]);

/** Bytes of the executable that become something else. */
interface Patch {
  readonly at: number;
  readonly size: number;
  readonly text: string;
}

/**
 * Turns an executable, or a shared library, into an object that the linker puts at fixed addresses: where it was, if it had such. All pointers inside are right then; what the
 * dynamic linker would fill in becomes relocations against the same names, and what the executable exports becomes symbols. Fails with PYTHON for an
 * executable of which that is not known to be right.
 */
export function objectOfExecutable(request: ExecutableRequest): Result<ExecutableObject> {
  const {path, bytes} = request;
  const refuse = (why: string): Result<never> =>
    fail('PYTHON', `${path} cannot be linked as an object: ${why}`);
  const elf = readElf(bytes);
  const segments = segmentsOf(bytes);
  if (elf === undefined || segments.length === 0) return refuse('it is not an executable of ELF');
  if (elf.machine !== EM_X86_64) return refuse('only those for x86-64 can');
  const isMoved = bytes.readUInt16LE(0x10) !== ET_EXEC;
  const shift = isMoved ? PLACE : 0;
  const loaded = segments
    .filter(({type}) => type === PT_LOAD)
    .map((segment) => ({...segment, address: segment.address + shift}));
  const code = loaded.filter(({flags}) => (flags & PF_X) !== 0);
  const [text] = code;
  if (text === undefined || code.length > 1) return refuse('its code is not one piece');
  const last = loaded.at(-1);
  if (last === undefined || loaded.some((each) => ((each.flags & PF_W) !== 0) !== (each === last))) {
    return refuse('its data is not one piece, behind everything else');
  }
  const thread = segments.find(({type}) => type === PT_TLS);
  // The dynamic linker aligns the start of a block, which ends where the thread's pointer leads.
  const threadSize =
    thread === undefined
      ? 0
      : roundUp(thread.memorySize, Number(bytes.readBigUInt64LE(thread.at + 0x30)) || 1);
  const symbols = elfSymbols(elf, 'dynamic').map((symbol) =>
    symbol.section === 0 ? symbol : {...symbol, value: symbol.value + shift},
  );
  const wordAt = (address: number): bigint => {
    const segment = loaded.findLast((each) => each.address <= address);
    const at = segment === undefined ? 0 : address - segment.address + segment.offset;
    return at + 8 <= bytes.length ? bytes.readBigUInt64LE(at) : 0n;
  };
  const filled = filledIn({elf, symbols, shift, threadSize, wordAt}, request);
  if (typeof filled === 'string') return refuse(filled);
  const defined = symbols.filter(
    ({name, section}) => section !== 0 && name !== '' && !OF_EVERY_EXECUTABLE.has(name),
  );
  const other = defined.find(({kind}) => kind === STT_TLS || kind === STT_GNU_IFUNC);
  if (other !== undefined)
    return refuse(`it exports ${other.name}, which is neither a variable nor a function`);
  const replacements = replaceFunctions(
    {bytes: bytes.subarray(text.offset, text.offset + text.fileSize), address: text.address},
    defined,
    request.replaced,
  );
  if (typeof replacements === 'string') return refuse(replacements);
  const patches = [...filled.patches, ...replacements.patches].sort((a, b) => a.at - b.at);
  const lines = [
    ...filled.references,
    ...loaded.flatMap((segment) => textOfSegment(path, segment, patches)),
    ...(thread === undefined ? [] : textOfThread(path, thread, threadSize)),
    `\t.section ${CONSTRUCTORS_SECTION},"aw",@progbits`,
    ...['\t.globl ff_original_constructors', 'ff_original_constructors:'],
    ...addressesIn(elf, '.init_array', filled.addresses, shift),
    ...['\t.globl ff_original_constructors_end', 'ff_original_constructors_end:'],
    '\t.section .fini_array,"aw",@fini_array',
    ...addressesIn(elf, '.fini_array', filled.addresses, shift),
    '\t.text',
    ...replacements.originals,
    ...defined.flatMap((symbol) => textOfSymbol(symbol, loaded)),
    '\t.section .note.GNU-stack,"",@progbits',
  ];
  const {libraries, runPath} = needsOf(elf, dirname(path));
  return ok({
    assembly: `${lines.join('\n')}\n`,
    sections: loaded.map((segment) => ({
      name: sectionOf(segment),
      address: pageOf(segment.address),
      isCode: segment === text,
    })),
    threadSize,
    copies: filled.copies,
    libraries,
    runPath,
  });
}

/* ---- what the dynamic linker fills in ---- */

interface FilledIn {
  readonly patches: readonly Patch[];
  /** Names for symbols with versions. */
  readonly references: readonly string[];
  readonly copies: readonly CopiedVariable[];
  /** Words that have an address of the executable itself. */
  readonly addresses: ReadonlyMap<number, number>;
}

/** What is known of the executable before that. */
interface Original {
  readonly elf: ElfFile;
  readonly symbols: readonly ElfSymbol[];
  /** How far it lies from where its file says. */
  readonly shift: number;
  readonly threadSize: number;
  readonly wordAt: (address: number) => bigint;
}

function filledIn(
  {elf, symbols, shift, threadSize, wordAt}: Original,
  {wrapped, renamed}: ExecutableRequest,
): FilledIn | string {
  const versions = neededVersions(elf);
  const versionOf = new Map(symbols.map((symbol, i) => [symbol, versions[i]]));
  const names = new Map<string, string>();
  const references: string[] = [];
  /** Calls that the linker sends elsewhere have no version: it knows them by their name. */
  const nameOf = (symbol: ElfSymbol): string => {
    const {name} = symbol;
    const version = versionOf.get(symbol);
    const known = names.get(name);
    if (known !== undefined) return known;
    const other = renamed.get(name);
    const isPlain = other !== undefined || version === undefined || wrapped.includes(name);
    const chosen = isPlain ? (other ?? name) : `ff_original_${names.size}`;
    names.set(name, chosen);
    if (!isPlain) references.push(`\t.symver ${chosen}, ${name}@${version}`);
    if (symbol.isWeak) references.push(`\t.weak ${chosen}`);
    return chosen;
  };
  const relocations = dynamicRelocations(elf, symbols);
  const copies: CopiedVariable[] = [];
  const patches: Patch[] = [];
  const addresses = new Map<number, number>();
  const any = relocations.find(
    ({type, symbol}) => type === R_JUMP_SLOT && symbol.section === 0 && !symbol.isWeak,
  )?.symbol;
  if (any === undefined) return 'it calls no library';
  for (const {at: place, type, symbol, addend} of relocations) {
    const at = place + shift;
    const isOwn = symbol.section !== 0;
    const isNamed = symbol.name !== '';
    if (type === R_RELATIVE) addresses.set(at, addend + shift);
    else if (type === R_COPY) {
      copies.push({name: symbol.name, address: at});
      // Has the linker make a relocation there, which becomes the copy (copied-variables.ts).
      patches.push({at, size: 8, text: `\t.quad ${nameOf(any)}`});
    } else if (isOwn && (type === R_64 || type === R_GLOB_DAT || type === R_JUMP_SLOT)) {
      addresses.set(at, symbol.value + (type === R_64 ? addend : 0));
    } else if (isNamed && (type === R_64 || type === R_GLOB_DAT || type === R_JUMP_SLOT)) {
      patches.push({at, size: 8, text: `\t.quad ${nameOf(symbol)}${type === R_64 ? `+${addend}` : ''}`});
    } else if (type === R_DTPMOD64 && !isNamed) {
      // The executable is the first module, and its block begins with our variables.
      patches.push({at, size: 8, text: '\t.quad 1'});
      patches.push({at: at + 8, size: 8, text: `\t.quad .Lthread@dtpoff+${wordAt(at + 8)}`});
    } else if (type === R_TPOFF64 && !isNamed) {
      patches.push({at, size: 8, text: `\t.quad ${addend - threadSize}`});
    } else return `its relocation of type ${type} is not known`;
  }
  for (const [at, address] of addresses) patches.push({at, size: 8, text: `\t.quad ${address}`});
  return {patches, references, copies, addresses};
}

/* ---- functions that are replaced ---- */

interface Replacements {
  readonly patches: readonly Patch[];
  /** What the functions were. */
  readonly originals: readonly string[];
}

function replaceFunctions(
  code: Code,
  defined: readonly ElfSymbol[],
  replaced: readonly string[],
): Replacements | string {
  const addresses = new Set(defined.map(({value}) => value));
  const patches: Patch[] = [];
  const originals: string[] = [];
  for (const name of replaced) {
    const symbol = defined.find((each) => each.name === name);
    if (symbol === undefined) continue;
    const entry = replaceEntry(code, symbol.value, (address) => addresses.has(address));
    if (typeof entry === 'string') return `of its function ${name}, ${entry}`;
    patches.push(...entry.jumps.map((at) => ({at, size: 5, text: `\tjmp __wrap_${name}`})));
    originals.push(...textOfOriginal(`__real_${name}`, entry, code));
  }
  return {patches, originals};
}

function textOfOriginal(name: string, {displaced, rest}: FunctionEntry, {address}: Code): string[] {
  const place = (to: number): string => `.Lcode+${to - address}`;
  return [
    ...[`\t.globl ${name}`, `\t.hidden ${name}`, `\t.type ${name}, @function`, `${name}:`],
    ...displaced.flatMap((piece) =>
      piece instanceof Uint8Array
        ? piece.length === 0
          ? []
          : [`\t.byte ${[...piece].join(',')}`]
        : [`\t.long ${place(piece.to)} - (. + ${4 + piece.behind})`],
    ),
    `\tjmp ${place(rest)}`,
    `\t.size ${name}, . - ${name}`,
  ];
}

/* ---- text ---- */

function sectionOf({at}: ElfSegment): string {
  return `.ff_original_${at}`;
}

function pageOf(address: number): number {
  return address - (address % PAGE);
}

function labelOf({at}: ElfSegment): string {
  return `.Lsegment${at}`;
}

/** A segment with all of its memory: what is not in the file is zero. It begins with its page. */
function textOfSegment(path: string, segment: ElfSegment, patches: readonly Patch[]): string[] {
  const {address, offset, fileSize, memorySize, flags} = segment;
  const [fileEnd, end] = [address + fileSize, address + memorySize];
  const isCode = (flags & PF_X) !== 0;
  const lines = [
    `\t.section ${sectionOf(segment)},"a${(flags & PF_W) !== 0 ? 'w' : ''}${isCode ? 'x' : ''}",@progbits`,
    `${labelOf(segment)}:`,
    ...(address % PAGE === 0 ? [] : [`\t.zero ${address % PAGE}`]),
    ...(isCode ? ['.Lcode:'] : []),
  ];
  let at = address;
  const copyTo = (to: number): void => {
    const inFile = Math.min(to, fileEnd) - at;
    if (inFile > 0) lines.push(`\t.incbin ${quoted(path)}, ${offset + at - address}, ${inFile}`);
    const zeros = to - Math.max(at, fileEnd);
    if (zeros > 0) lines.push(`\t.zero ${zeros}`);
  };
  for (const patch of patches) {
    if (patch.at < address || patch.at >= end) continue;
    copyTo(patch.at);
    lines.push(patch.text);
    at = patch.at + patch.size;
  }
  copyTo(end);
  return lines;
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}

function textOfThread(path: string, {offset, fileSize}: ElfSegment, size: number): string[] {
  return [
    `\t.section ${THREAD_SECTION},"awT",@progbits`,
    '.Lthread:',
    ...(fileSize === 0 ? [] : [`\t.incbin ${quoted(path)}, ${offset}, ${fileSize}`]),
    `\t.zero ${size - fileSize}`,
  ];
}

/** Functions that run before or after the main program. */
function addressesIn(
  {sections}: ElfFile,
  name: string,
  addresses: FilledIn['addresses'],
  shift: number,
): string[] {
  const section = sections.find((each) => each.name === name);
  const view = bufferOf(section?.bytes);
  return Array.from({length: view.length / 8}, (_, i) => {
    const filled = addresses.get((section?.address ?? 0) + shift + 8 * i);
    return `\t.quad ${filled ?? view.readBigUInt64LE(8 * i)}`;
  });
}

function textOfSymbol({name, value, size, kind, isWeak}: ElfSymbol, loaded: readonly ElfSegment[]): string[] {
  const segment = loaded.find(({address, memorySize}) => value >= address && value <= address + memorySize);
  if (segment === undefined) return [];
  return [
    `\t.${isWeak ? 'weak' : 'globl'} ${name}`,
    `\t.type ${name}, @${kind === STT_FUNC ? 'function' : 'object'}`,
    `\t.size ${name}, ${size}`,
    `\t.set ${name}, ${labelOf(segment)}+${value - pageOf(segment.address)}`,
  ];
}

/* ---- what it needs ---- */

/** @param origin what `$ORIGIN` stands for: its own directory, not that of the executable that is linked */
function needsOf({sections}: ElfFile, origin: string): Pick<ExecutableObject, 'libraries' | 'runPath'> {
  const dynamic = sections.find(({type}) => type === SHT_DYNAMIC);
  const table = bufferOf(dynamic?.bytes);
  const strings = bufferOf(sections[dynamic?.link ?? 0]?.bytes);
  const libraries: string[] = [];
  const runPath: string[] = [];
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = Number(table.readBigUInt64LE(at));
    if (tag !== DT_NEEDED && tag !== DT_RPATH && tag !== DT_RUNPATH) continue;
    const start = Number(table.readBigUInt64LE(at + 8));
    const text = strings.toString('latin1', start, strings.indexOf(0, start));
    if (tag === DT_NEEDED) libraries.push(text);
    else runPath.push(...text.split(':').filter((folder) => folder !== ''));
  }
  const folders = runPath.map((folder) => folder.replaceAll(/\$ORIGIN\b|\$\{ORIGIN\}/g, () => origin));
  return {libraries, runPath: folders};
}

function bufferOf(bytes: Uint8Array | undefined): Buffer {
  if (bytes === undefined) return Buffer.alloc(0);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
