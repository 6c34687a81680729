import {cString} from '../c-text.js';
import type {Layout} from '../layout.js';

/**
 * The C of the code that a grafted interpreter runs in the place of `encodings` (src/runtime/graft/library.c).
 * @param code marshal bytes
 */
export function generateEntry({header}: Layout, code: Uint8Array): string {
  return (
    `#include "${header}"\n#include "flashfreeze.h"\n` +
    `const unsigned char ff_entry[] = ${cString(code)};\nconst unsigned int ff_entry_size = ${code.length};\n`
  );
}
