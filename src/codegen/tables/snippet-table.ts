import {generateTable, hashBytes} from './hash-table.js';

/** A piece of source text that was compiled: what it was made from, and marshal bytes of its code, in base64. */
export interface SnippetEntry {
  readonly text: string;
  readonly filename: string;
  readonly flags: number;
  readonly mode: 'eval' | 'exec';
  readonly code: string;
}

/**
 * The C of the table of snippets: the filename and the code follow the text.
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
    return row;
  });
  return generateTable({name: 'snippet', rows, hashes, text: bytes});
}
