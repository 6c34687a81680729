import {digestOf} from '../model/digest.js';

/** File systems take names of 255 bytes; suffixes, and what tools derive from a name, come on top of ours. */
const LONGEST = 160;

/** The base name, without suffix, of a module's files in the build directory: the module's name, cut where it is too long for a file. */
export function imageFileName(module: string): string {
  const bytes = Buffer.from(module, 'utf8');
  if (bytes.length <= LONGEST) return module;
  // A cut inside of a character would give U+FFFD, which is longer than what it stands for.
  const start = bytes
    .subarray(0, LONGEST - 40)
    .toString('utf8')
    .replace(/\ufffd+$/u, '');
  return `${start}~${digestOf(module).slice(0, 32)}`;
}
