import type {Place} from './block.js';

/**
 * The places in their order in an image: what the first use of a module writes comes first, so that the kernel can be asked for all
 * pages of it at once (src/runtime/populate.c), and pages of the rest stay clean. Code objects get their versions, and their inline caches are written
 * when they run; shared strings and names are hashed and interned; a path is filled in; a tuple is written where an interned string lives elsewhere.
 * Text and values (numbers, short bytes) are written where the interpreter counts references to them.
 */
export const PLACES: readonly Place[] = [
  'code',
  'shared',
  'path',
  'name',
  'tuple',
  'text',
  'value',
  'data',
  'constant',
];

/** Those of them that the first use writes. */
export function writtenPlaces(countsReferences: boolean): readonly Place[] {
  return PLACES.slice(0, PLACES.indexOf(countsReferences ? 'data' : 'text'));
}
