import {cArray} from '../c-text.js';
import {generateTable, hashBytes} from './hash-table.js';

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

/** The hash for look-ups, as computed by `find()` in src/runtime/prepared/expression-calls.c. */
function hashOf(text: Uint8Array, {flags, bytes}: ExpressionEntry): number {
  return (hashBytes(text) ^ (2 * flags + (bytes ? 1 : 0))) >>> 0;
}

/**
 * The C of the table of regular expressions: the names of groups follow the text of an expression, each ended by a nul, and
 * their numbers follow its code in a list of numbers.
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
    return row;
  });
  return [
    generateTable({name: 'expression', rows, hashes, text: texts}),
    `const uint32_t ff_expression_code[] = ${cArray([...numbers.map((number) => `${number}u`), '0'])};`,
  ].join('\n');
}
