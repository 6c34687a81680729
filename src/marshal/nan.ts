import type {PyObject} from './objects.js';

const EXPONENT = 0x7ff0_0000_0000_0000n;
const MAGNITUDE = 0x7fff_ffff_ffff_ffffn;

function isNaNBits(bits: bigint): boolean {
  return (bits & MAGNITUDE) > EXPONENT;
}

/**
 * Whether a constant is a nan, or holds one. Such a constant equals nothing but itself, so CPython's compiler, which merges equal
 * constants (Python/compile.c, merge_consts_recursive()), never merges two of them, however alike they are.
 */
export function holdsNaN(object: PyObject): boolean {
  const {type} = object;
  if (type === 'float') return isNaNBits(object.bits);
  if (type === 'complex') return isNaNBits(object.realBits) || isNaNBits(object.imagBits);
  if (type === 'tuple' || type === 'frozenset') return object.items.some(holdsNaN);
  return type === 'slice' && [object.start, object.stop, object.step].some(holdsNaN);
}
