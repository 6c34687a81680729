import {instructionAt} from './x86-instruction.js';

/** Code of an executable, and where it lies. */
export interface Code {
  readonly bytes: Buffer;
  readonly address: number;
}

/** Bytes of it, or a distance of four bytes from its end to an address. */
export type Piece = Uint8Array | {readonly to: number; readonly behind: number};

/** How a function is replaced by another one. */
export interface FunctionEntry {
  /** Where the jumps to the other function go, five bytes each. */
  readonly jumps: readonly number[];
  /** What the function does before it goes on at `rest`: the instructions whose place the jump takes. */
  readonly displaced: readonly Piece[];
  readonly rest: number;
}

const JUMP = 5;

/**
 * Finds out how a jump takes the place of the first instructions of a function, so that whoever calls it, also from inside, comes to another one. A
 * function that only jumps to another one, which no one can name, is that one: the compiler calls it directly. Returns the reason if that cannot be.
 * @param isNamed whether something else has its own name for an address
 */
export function replaceEntry(
  code: Code,
  address: number,
  isNamed: (address: number) => boolean,
): FunctionEntry | string {
  const jumps: number[] = [];
  let start = address;
  for (;;) {
    const from = behindMark(code, start);
    const first = instructionAt(code.bytes, from - code.address);
    const next = first?.isJump === true ? targetOf(code, from, 1) : undefined;
    jumps.push(from);
    if (next === undefined || isNamed(next)) return displace(code, from, jumps);
    if (jumps.includes(behindMark(code, next)) || !isIn(code, next)) return 'it jumps to itself';
    start = next;
  }
}

function displace(code: Code, from: number, jumps: readonly number[]): FunctionEntry | string {
  const displaced: Piece[] = [];
  const later = new Set<number>();
  let at = from;
  while (at - from < JUMP) {
    const instruction = instructionAt(code.bytes, at - code.address);
    if (instruction === undefined || !isIn(code, at)) {
      return `nothing is known of the instruction at 0x${at.toString(16)}`;
    }
    const {size, distanceAt} = instruction;
    if (distanceAt === undefined) displaced.push(bytesOf(code, at, size));
    else {
      const behind = size - distanceAt - 4;
      displaced.push(bytesOf(code, at, distanceAt));
      displaced.push({to: targetOf(code, at, distanceAt, size), behind});
      displaced.push(bytesOf(code, at + distanceAt + 4, behind));
    }
    at += size;
    later.add(at);
  }
  later.delete(at);
  const into = findJumpTo(code, later, from);
  return into === undefined
    ? {jumps, displaced, rest: at}
    : `the code at 0x${into.toString(16)} seems to jump into its beginning`;
}

function behindMark(code: Code, address: number): number {
  const first = instructionAt(code.bytes, address - code.address);
  return first?.isMark === true ? address + first.size : address;
}

function isIn({bytes, address: start}: Code, address: number): boolean {
  return address >= start && address < start + bytes.length;
}

function bytesOf({bytes, address: start}: Code, address: number, size: number): Buffer {
  return bytes.subarray(address - start, address - start + size);
}

function targetOf({bytes, address: start}: Code, at: number, distanceAt: number, size = JUMP): number {
  return at + size + bytes.readInt32LE(at - start + distanceAt);
}

/** How far a jump of two bytes leads back. */
const NEAR = 128;

/**
 * Anything that may be a jump to one of these addresses, which lie close behind `from`, where the function begins: a near one of its own, or a far one, from a
 * part of it that lies elsewhere. Instructions are not told from data.
 */
function findJumpTo(code: Code, places: ReadonlySet<number>, from: number): number | undefined {
  if (places.size === 0) return undefined;
  const {bytes, address: start} = code;
  for (let at = from - start; at < Math.min(bytes.length - 1, from - start + NEAR); at++) {
    const opcode = bytes[at] ?? 0;
    const isShort =
      (opcode >= 0x70 && opcode <= 0x7f) || opcode === 0xeb || (opcode >= 0xe0 && opcode <= 0xe3);
    if (isShort && places.has(start + at + 2 + bytes.readInt8(at + 1))) return start + at;
  }
  for (let at = 1; at + 4 <= bytes.length; at++) {
    if (!places.has(start + at + 4 + bytes.readInt32LE(at))) continue;
    const [before, opcode] = [bytes[at - 2] ?? 0, bytes[at - 1] ?? 0];
    if (opcode === 0xe8 || opcode === 0xe9 || (before === 0x0f && opcode >= 0x80 && opcode <= 0x8f)) {
      return start + at;
    }
  }
  return undefined;
}
