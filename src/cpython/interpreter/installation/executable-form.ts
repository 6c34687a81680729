import type {FileHandle} from 'node:fs/promises';
import {recordFile} from '../../../fs/recorded-fs.js';
import {withRegular} from '../../../fs/regular-file.js';

/** How the loader protects an executable or a shared library of ELF, and where it looks for libraries. */
export interface ExecutableForm {
  /** Whether it gets an address that nobody can guess, where the system gives such ones. */
  readonly isPositionIndependent: boolean;
  /** Whether what is written only during relocation is read-only afterwards; `full` with all of the table of functions. */
  readonly relro: 'full' | 'partial' | 'none';
  /** Whether its stack is not executable. */
  readonly hasNoExecutableStack: boolean;
  readonly runPath: string | undefined;
}

/** What starting such a file takes, and whom it can be linked with. */
export interface ExecutableNeeds {
  /** What `process.arch` calls its machine, if it is one of those that Node.js runs on. */
  readonly machine: string | undefined;
  /** The dynamic linker that it asks for; undefined for a static executable. */
  readonly loader: string | undefined;
  /** Whether its libraries look for their own libraries where it looks for them (DT_RPATH, which DT_RUNPATH replaced). */
  readonly lendsRunPath: boolean;
  /** Whether its table of dynamic symbols has that name. */
  readonly hasSymbol: (name: string) => boolean;
}

/** Names and numbers of `<elf.h>`. */
const MACHINES: Readonly<Record<number, string>> = {62: 'x64', 183: 'arm64', 243: 'riscv64', 258: 'loong64'};
const PT_INTERP = 3;
const MAX_PATH_BYTES = 4096;
const ET_DYN = 3;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_GNU_STACK = 0x6474e551;
const PT_GNU_RELRO = 0x6474e552;
const PF_X = 1;
const DT = {
  strtab: 5,
  strsz: 10,
  rpath: 15,
  bindNow: 24,
  runPath: 29,
  flags: 30,
  flags1: 0x6ffffffb,
} as const;
const DF_BIND_NOW = 8;
const DF_1_NOW = 1;
/** More than any file has. */
const MAX_HEADERS = 256;
const MAX_DYNAMIC_BYTES = 1 << 16;
const MAX_STRINGS_BYTES = 16 << 20;

/** Reads it from a file of 64 bits, little-endian; undefined for any other. */
export async function readExecutableForm(path: string): Promise<ExecutableForm | undefined> {
  recordFile(path);
  return withRegular(path, 'follow', ({handle}) => readForm(handle)).catch(() => undefined);
}

/** The same for what it needs. */
export async function readExecutableNeeds(path: string): Promise<ExecutableNeeds | undefined> {
  recordFile(path);
  return withRegular(path, 'follow', ({handle}) => readNeeds(handle)).catch(() => undefined);
}

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

async function readNeeds(file: FileHandle): Promise<ExecutableNeeds | undefined> {
  const headers = await readHeaders(file);
  if (headers === undefined) return undefined;
  const {header, segments} = headers;
  const loader = segments.find(({type, size}) => type === PT_INTERP && size <= MAX_PATH_BYTES);
  const path = loader && (await readAt(file, loader.offset, loader.size));
  const dynamic = await readDynamic(file, segments);
  const strings = await readStrings(file, segments, dynamic);
  return {
    machine: MACHINES[header.readUInt16LE(18)],
    loader: path?.toString('utf8').replace(/\0.*/s, ''),
    lendsRunPath: dynamic.has(DT.rpath) && !dynamic.has(DT.runPath),
    hasSymbol: (name) => strings?.includes(`\0${name}\0`) ?? false,
  };
}

async function readHeaders(
  file: FileHandle,
): Promise<{header: Buffer; segments: readonly Segment[]} | undefined> {
  const header = await readAt(file, 0, 64);
  if (header?.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
  const count = header.readUInt16LE(56);
  const size = header.readUInt16LE(54);
  if (size !== 56 || count > MAX_HEADERS) return undefined;
  const table = await readAt(file, Number(header.readBigUInt64LE(32)), count * size);
  if (table === undefined) return undefined;
  return {header, segments: Array.from({length: count}, (_, i) => segmentAt(table, i * size))};
}

async function readForm(file: FileHandle): Promise<ExecutableForm | undefined> {
  const headers = await readHeaders(file);
  if (headers === undefined) return undefined;
  const {header, segments} = headers;
  const dynamic = await readDynamic(file, segments);
  const stack = segments.find(({type}) => type === PT_GNU_STACK);
  const isNow =
    dynamic.has(DT.bindNow) ||
    ((dynamic.get(DT.flags) ?? 0) & DF_BIND_NOW) !== 0 ||
    ((dynamic.get(DT.flags1) ?? 0) & DF_1_NOW) !== 0;
  return {
    isPositionIndependent: header.readUInt16LE(16) === ET_DYN,
    relro: !segments.some(({type}) => type === PT_GNU_RELRO) ? 'none' : isNow ? 'full' : 'partial',
    hasNoExecutableStack: stack !== undefined && (stack.flags & PF_X) === 0,
    runPath: await readRunPath(file, segments, dynamic),
  };
}

function segmentAt(table: Buffer, at: number): Segment {
  return {
    type: table.readUInt32LE(at),
    flags: table.readUInt32LE(at + 4),
    offset: Number(table.readBigUInt64LE(at + 8)),
    address: Number(table.readBigUInt64LE(at + 16)),
    size: Number(table.readBigUInt64LE(at + 32)),
  };
}

/** The entries of the dynamic section, by tag. A static executable has none. */
async function readDynamic(file: FileHandle, segments: readonly Segment[]): Promise<Map<number, number>> {
  const entries = new Map<number, number>();
  const section = segments.find(({type}) => type === PT_DYNAMIC);
  if (section === undefined || section.size > MAX_DYNAMIC_BYTES) return entries;
  const bytes = await readAt(file, section.offset, section.size);
  for (let at = 0; bytes !== undefined && at + 16 <= bytes.length; at += 16) {
    const tag = Number(bytes.readBigUInt64LE(at));
    if (tag === 0) break;
    entries.set(tag, Number(bytes.readBigUInt64LE(at + 8)));
  }
  return entries;
}

async function readRunPath(
  file: FileHandle,
  segments: readonly Segment[],
  dynamic: ReadonlyMap<number, number>,
): Promise<string | undefined> {
  const name = dynamic.get(DT.runPath) ?? dynamic.get(DT.rpath);
  const text = await readStrings(file, segments, dynamic);
  if (name === undefined || text === undefined || name >= text.length) return undefined;
  const end = text.indexOf(0, name);
  return end < 0 ? undefined : text.toString('utf8', name, end);
}

/** The names in the dynamic section. */
async function readStrings(
  file: FileHandle,
  segments: readonly Segment[],
  dynamic: ReadonlyMap<number, number>,
): Promise<Buffer | undefined> {
  const table = dynamic.get(DT.strtab);
  const size = dynamic.get(DT.strsz);
  if (table === undefined || size === undefined || size > MAX_STRINGS_BYTES) return undefined;
  const holder = segments.find(
    ({type, address, size: length}) => type === PT_LOAD && table >= address && table < address + length,
  );
  return holder && readAt(file, holder.offset + (table - holder.address), size);
}

/** Undefined where the file is shorter. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  const {bytesRead, buffer} = await file.read(Buffer.alloc(length), 0, length, position);
  return bytesRead === length ? buffer : undefined;
}
