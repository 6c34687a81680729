import {cArray, cString} from './c-text.js';
import {hashBuckets, hashBytes} from './hash-table.js';

/** A piece of source text that was compiled: what it was made from, and marshal bytes of its code, in base64. */
export interface SnippetEntry {
  readonly text: string;
  readonly filename: string;
  readonly flags: number;
  readonly mode: 'eval' | 'exec';
  readonly code: string;
}

/**
 * The C of the table of snippets. As in that of expressions, rows name places in one array, and hold no pointers: the
 * filename and the code follow the text.
 */
export function generateSnippets(entries: readonly SnippetEntry[]): string {
  const bytes: Uint8Array[] = [];
  const hashes: number[] = [];
  let length = 0;
  const rows = entries.map(({text, filename, flags, mode, code}) => {
    const parts = [Buffer.from(text), Buffer.from(filename), Buffer.from(code, 'base64')];
    const row = [length, ...parts.map((part) => part.length), flags, mode === 'eval' ? 1 : 0];
    length += parts.reduce((sum, part) => sum + part.length, 0);
    bytes.push(...parts);
    hashes.push(hashBytes(Buffer.from(text)));
    return `${cArray(row)},\n`;
  });
  const table = hashBuckets(hashes);
  return [
    `const ff_snippet ff_snippets[] = {\n${rows.join('')}{0}};`,
    `const uint32_t ff_snippet_count = ${rows.length};`,
    `const uint32_t ff_snippet_buckets[] = ${cArray(table)};`,
    `const uint32_t ff_snippet_bucket_mask = ${table.length - 1};`,
    `const char ff_snippet_text[] = ${cString(Buffer.concat(bytes))};`,
  ].join('\n');
}
