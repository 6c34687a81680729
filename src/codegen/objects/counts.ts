import type {PyCode311} from '../../marshal/objects.js';

/** Bits of a byte of `co_localspluskinds` (Include/internal/pycore_code.h, CO_FAST_LOCAL and following). */
const LOCAL = 0x20;
const CELL = 0x40;
const FREE = 0x80;

export interface LocalsCounts {
  readonly nlocals: number;
  /** Cells that are not arguments too (a field of its own in 3.11). */
  readonly nplaincellvars: number;
  readonly ncellvars: number;
  readonly nfreevars: number;
}

/** The counts that a code object derives from its kinds: Objects/codeobject.c, `get_localsplus_counts()`. */
export function localsCounts(code: PyCode311): LocalsCounts {
  let nlocals = 0;
  let nplaincellvars = 0;
  let ncellvars = 0;
  let nfreevars = 0;
  for (const kind of code.localspluskinds) {
    if (kind & LOCAL) {
      nlocals++;
      if (kind & CELL) ncellvars++;
    } else if (kind & CELL) {
      ncellvars++;
      nplaincellvars++;
    } else if (kind & FREE) {
      nfreevars++;
    }
  }
  return {nlocals, nplaincellvars, ncellvars, nfreevars};
}

/**
 * Index of the RESUME at the start of the function, which is the first with argument 0, or the number of units:
 * `_co_firsttraceable`. (3.15's generator expressions begin with another RESUME, before RETURN_GENERATOR.)
 */
export function firstTraceable(bytecode: Uint8Array, resume: number | undefined): number {
  for (let i = 0; i < bytecode.length; i += 2) {
    if (bytecode[i] === resume && bytecode[i + 1] === 0) return i / 2;
  }
  return bytecode.length / 2;
}
