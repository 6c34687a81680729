/** Functions that write C names and literals. They never put program text into comments. */

const NEEDS_ESCAPE = [0x22 /* " */, 0x5c /* \ */, 0x3f /* ?, for trigraphs */];

/** The bytes that stand for themselves in a string literal. */
const IS_PLAIN: readonly boolean[] = Array.from(
  {length: 256},
  (_, byte) => byte >= 0x20 && byte < 0x7f && !NEEDS_ESCAPE.includes(byte),
);

/** The number of bytes of a literal per line. */
const BYTES_PER_LINE = 120;

/** Bytes as a C string literal (several adjacent ones when it is long), without the terminating 0 that C adds. */
export function cString(bytes: Uint8Array): string {
  // Into bytes first: a text to which millions of small ones were appended takes long to make and to flatten.
  const text = Buffer.allocUnsafe(bytes.length * 4 + Math.ceil(bytes.length / BYTES_PER_LINE) * 3 + 2);
  let end = text.write('"', 0, 'latin1');
  for (let i = 0; i < bytes.length; i++) {
    if (i > 0 && i % BYTES_PER_LINE === 0) end += text.write('"\n"', end, 'latin1');
    const byte = bytes[i] ?? 0;
    if (IS_PLAIN[byte] === true) text[end++] = byte;
    else end = writeEscape(text, end, byte);
  }
  end += text.write('"', end, 'latin1');
  return text.toString('latin1', 0, end);
}

/** Three octal digits never absorb the next character. */
function writeEscape(text: Buffer, at: number, byte: number): number {
  const zero = 0x30;
  text[at] = 0x5c;
  text[at + 1] = zero + (byte >> 6);
  text[at + 2] = zero + ((byte >> 3) & 7);
  text[at + 3] = zero + (byte & 7);
  return at + 4;
}

/** ASCII text as a C string literal. */
export function cAsciiString(text: string): string {
  return cString(Buffer.from(text, 'latin1'));
}

/** Text as a C literal of wide characters, with the terminating 0. */
export function cWideString(text: string): string {
  return `(const wchar_t[])${cArray([...Array.from(text, (each) => each.codePointAt(0) ?? 0), 0])}`;
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
  return name.replaceAll(/[^A-Za-z0-9]/gu, (char) => {
    if (char === '_') return '__';
    if (char === '.') return '_D';
    return `_x${(char.codePointAt(0) ?? 0).toString(16)}_`;
  });
}
