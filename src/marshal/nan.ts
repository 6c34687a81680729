import type {PyObject, PySlice} from './objects.js';

const EXPONENT = 0x7ff0_0000_0000_0000n;
const MAGNITUDE = 0x7fff_ffff_ffff_ffffn;

function isNaNBits(bits: bigint): boolean {
  return (bits & MAGNITUDE) > EXPONENT;
}

/** What was found out of containers, which may hold the same ones many times over. */
const known = new WeakMap<PyObject, boolean>();

/**
 * Whether a constant is a nan, or holds one. Such a constant equals nothing but itself, so CPython's compiler, which merges equal
 * constants (Python/compile.c, merge_consts_recursive()), never merges two of them, however alike they are.
 */
export function holdsNaN(object: PyObject): boolean {
  const {type} = object;
  if (type === 'float') return isNaNBits(object.bits);
  if (type === 'complex') return isNaNBits(object.realBits) || isNaNBits(object.imagBits);
  const items =
    type === 'tuple' || type === 'frozenset' ? object.items : type === 'slice' && membersOf(object);
  if (items === false) return false;
  const holds = known.get(object) ?? items.some(holdsNaN);
  known.set(object, holds);
  return holds;
}

function membersOf({start, stop, step}: PySlice): readonly PyObject[] {
  return [start, stop, step];
}
