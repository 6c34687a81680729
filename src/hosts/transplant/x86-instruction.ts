/** An instruction, as far as it has to be known to move it elsewhere. */
export interface Instruction {
  readonly size: number;
  /** Where in it the four bytes are that count from its end, if it has such: of a jump, a call, or an address relative to itself. */
  readonly distanceAt?: number;
  /** Whether it is a jump that is always taken, and nothing else. */
  readonly isJump?: boolean;
  /** Whether it marks where calls may lead (`endbr64`), and does nothing else. */
  readonly isMark?: boolean;
}

/** Opcodes with a ModRM byte and nothing behind it: arithmetic, moves, comparisons, `lea`, `movslq`. */
const WITH_OPERANDS = new Set([
  0x01, 0x03, 0x09, 0x0b, 0x21, 0x23, 0x29, 0x2b, 0x31, 0x33, 0x38, 0x39, 0x3a, 0x3b, 0x63, 0x84, 0x85, 0x88,
  0x89, 0x8a, 0x8b, 0x8d,
]);
/** Those with a constant behind that, of one byte or of four. */
const WITH_BYTE = new Set([0x80, 0x83, 0xc6]);
const WITH_WORD = new Set([0x81, 0xc7]);

/**
 * The instruction of x86-64 at a place: one of those that functions begin with. Undefined for any other, also for what is not certain to mean
 * the same elsewhere.
 */
export function instructionAt(code: Uint8Array, start: number): Instruction | undefined {
  if (code[start] === 0xf3) {
    const isMark = code[start + 1] === 0x0f && code[start + 2] === 0x1e && code[start + 3] === 0xfa;
    return isMark ? {size: 4, isMark} : undefined;
  }
  let at = start;
  // What follows lies in the thread's own memory.
  if (code[at] === 0x64) at++;
  const prefix = code[at] ?? 0;
  const isPrefixed = (prefix & 0xf0) === 0x40;
  if (isPrefixed) at++;
  const opcode = code[at] ?? 0;
  at++;
  // push
  if (opcode >= 0x50 && opcode <= 0x57) return {size: at - start};
  if (opcode >= 0xb8 && opcode <= 0xbf) {
    const isWide = isPrefixed && (prefix & 8) !== 0;
    return {size: at - start + (isWide ? 8 : 4)};
  }
  if (opcode === 0xe8 || opcode === 0xe9) {
    if (at - start !== 1) return undefined;
    return {size: 5, distanceAt: 1, ...(opcode === 0xe9 && {isJump: true})};
  }
  const constant = WITH_OPERANDS.has(opcode)
    ? 0
    : WITH_BYTE.has(opcode)
      ? 1
      : WITH_WORD.has(opcode)
        ? 4
        : undefined;
  if (constant === undefined) return undefined;
  const operand = operandAt(code, at);
  return {
    size: at - start + operand.size + constant,
    ...(operand.distanceAt !== undefined && {distanceAt: at - start + operand.distanceAt}),
  };
}

/** The ModRM byte with what belongs to it. */
function operandAt(code: Uint8Array, start: number): {readonly size: number; readonly distanceAt?: number} {
  const operand = code[start] ?? 0;
  const [mode, register] = [operand >> 6, operand & 7];
  if (mode === 3) return {size: 1};
  const hasIndex = register === 4;
  const base = hasIndex ? (code[start + 1] ?? 0) & 7 : register;
  const size = hasIndex ? 2 : 1;
  if (mode === 1) return {size: size + 1};
  if (mode === 2) return {size: size + 4};
  if (base !== 5) return {size};
  return {size: size + 4, ...(!hasIndex && {distanceAt: size})};
}
