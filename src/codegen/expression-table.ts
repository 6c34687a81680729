import {cArray, cString} from './c-text.js';
import {hashBuckets, hashBytes} from './hash-table.js';

/** A regular expression that was compiled: what it was made from, and the arguments of `_sre.compile()`. */
export interface ExpressionEntry {
  readonly bytes: boolean;
  readonly text: string;
  readonly flags: number;
  readonly allFlags: number;
  readonly code: readonly number[];
  readonly groups: number;
  readonly names: readonly (readonly [name: string, group: number])[];
}

/** Where it is looked for: `ff_expression_hash()` of src/runtime/expressions.c. */
function hashOf(text: Uint8Array, {flags, bytes}: ExpressionEntry): number {
  return (hashBytes(text) ^ (2 * flags + (bytes ? 1 : 0))) >>> 0;
}

/**
 * The C of the table of regular expressions. Its rows name places in one text and one list of numbers, so that there is no
 * pointer in them, and nothing to relocate: the names of groups follow the text of an expression, each ended by a nul, their
 * numbers its code.
 */
export function generateExpressions(entries: readonly ExpressionEntry[]): string {
  const texts: Uint8Array[] = [];
  const numbers: number[] = [];
  const hashes: number[] = [];
  let length = 0;
  const rows = entries.map((entry) => {
    const text = Buffer.from(entry.text, entry.bytes ? 'latin1' : 'utf8');
    const names = Buffer.from(entry.names.map(([name]) => `${name}\0`).join(''), 'utf8');
    const row = [
      ...[length, text.length, numbers.length, entry.code.length],
      ...[entry.flags, entry.allFlags, entry.groups, entry.names.length, entry.bytes ? 1 : 0],
    ];
    length += text.length + names.length;
    texts.push(text, names);
    for (const number of entry.code) numbers.push(number);
    for (const [, group] of entry.names) numbers.push(group);
    hashes.push(hashOf(text, entry));
    return `${cArray(row)},\n`;
  });
  const table = hashBuckets(hashes);
  return [
    `const ff_expression ff_expressions[] = {\n${rows.join('')}{0}};`,
    `const uint32_t ff_expression_count = ${rows.length};`,
    `const uint32_t ff_expression_buckets[] = ${cArray(table)};`,
    `const uint32_t ff_expression_bucket_mask = ${table.length - 1};`,
    `const char ff_expression_text[] = ${cString(Buffer.concat(texts))};`,
    `const uint32_t ff_expression_code[] = ${cArray([...numbers.map((number) => `${number}u`), '0'])};`,
  ].join('\n');
}
