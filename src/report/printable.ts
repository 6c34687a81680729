import type {Event} from '../model/events.js';

/*
 * What others wrote reaches the terminal of whoever builds: names of files and modules, members of archives, lines of sources, output of
 * tools, answers of servers. A terminal obeys control characters, and characters that change the direction of text make it look like other
 * text, so none of them is printed.
 */

/** Printable ASCII needs no closer look. */
const ORDINARY = /^[\x20-\x7e]*$/;
/** Control and formatting characters (Cc, Cf: bidi controls, zero-width ones), separators of lines and paragraphs, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** The colours with which compilers mark their words (ECMA-48, SGR), and what gcc writes after each: EL. */

const COLOURS = /\x1b\[[\d;:]*m(?:\x1b\[K)?|\x1b\[K/g;

/** Text as one line for a terminal: what is not printable is written as in a string of JavaScript or Python. */
export function printable(text: string): string {
  return ORDINARY.test(text) ? text : text.replace(UNPRINTABLE, escapeOf);
}

/** The same for several lines, with tabs and without colours. */
export function printableLines(text: string): string {
  if (ORDINARY.test(text)) return text;
  const lines = text.replace(COLOURS, '').replaceAll(/\r+(?=\n|$)/g, '');
  return lines.replace(UNPRINTABLE, (char) => (char === '\n' || char === '\t' ? char : escapeOf(char)));
}

function escapeOf(char: string): string {
  if (char === '\n') return '\\n';
  if (char === '\r') return '\\r';
  if (char === '\t') return '\\t';
  const code = char.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`;
}

/** JSON that a terminal does not obey: the same value, with escapes where JSON allows the characters themselves. */
export function printableJson(json: string): string {
  if (ORDINARY.test(json)) return json;
  const unit = (char: string, at: number): string =>
    `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`;
  return json.replace(UNPRINTABLE, (char) => {
    if (char === '\n') return char;
    return char.length === 1 ? unit(char, 0) : unit(char, 0) + unit(char, 1);
  });
}

/** What may have several lines. */
const WITH_LINES: readonly string[] = ['details', 'text'];

/** An event whose texts are printable. */
export function printableEvent(event: Event): Event {
  return printableValue(event) as Event;
}

function printableValue(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return WITH_LINES.includes(name) ? printableLines(value) : printable(value);
  if (Array.isArray(value)) return value.map((item) => printableValue(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, printableValue(inner, key)]));
}
