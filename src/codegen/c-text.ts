/** Functions that write C names and literals. They never put program text into comments. */

const NEEDS_ESCAPE = [0x22 /* " */, 0x5c /* \ */, 0x3f /* ?, for trigraphs */];

/** `BYTE_ESCAPES[b]`: the escape of byte `b` in a string literal; three octal digits never absorb the next character. */
const BYTE_ESCAPES: readonly string[] = Array.from({length: 256}, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && !NEEDS_ESCAPE.includes(byte)
    ? String.fromCharCode(byte)
    : `\\${byte.toString(8).padStart(3, '0')}`,
);

/** The number of bytes of a literal per line. */
const BYTES_PER_LINE = 120;

/** Bytes as a C string literal (several adjacent ones when it is long), without the terminating 0 that C adds. */
export function cString(bytes: Uint8Array): string {
  let text = '"';
  for (let i = 0; i < bytes.length; i++) {
    if (i > 0 && i % BYTES_PER_LINE === 0) text += '"\n"';
    text += BYTE_ESCAPES[bytes[i] ?? 0] ?? '';
  }
  return text + '"';
}

/** ASCII text as a C string literal. */
export function cAsciiString(text: string): string {
  return cString(Buffer.from(text, 'latin1'));
}

/** Numbers as a brace-enclosed initialiser. */
export function cArray(values: readonly (number | string)[]): string {
  return `{${values.join(', ')}}`;
}

/**
 * A module name as part of a C identifier; different names give different identifiers: `_` becomes `__`, `.` becomes
 * `_D`, other characters `_x` and their hexadecimal code, ended by `_`.
 */
export function mangle(name: string): string {
  return Array.from(name, (char) => {
    if (/[A-Za-z0-9]/.test(char)) return char;
    if (char === '_') return '__';
    if (char === '.') return '_D';
    return `_x${(char.codePointAt(0) ?? 0).toString(16)}_`;
  }).join('');
}
