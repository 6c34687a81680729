import {digestOf} from '../../model/digest.js';

/** File systems allow names of 255 bytes, including suffixes and additions by tools. */
const LONGEST = 160;

/** The base name, without suffix, of a module's files in the build directory: the module's name, truncated if it is too long for a file. */
export function imageFileName(module: string): string {
  const bytes = Buffer.from(module, 'utf8');
  if (bytes.length <= LONGEST) return module;
  // Truncation inside a character would give U+FFFD, which is longer than what it replaces.
  const start = bytes
    .subarray(0, LONGEST - 40)
    .toString('utf8')
    .replace(/\ufffd+$/u, '');
  return `${start}~${digestOf(module).slice(0, 32)}`;
}
