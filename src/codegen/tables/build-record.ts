import {cString} from '../c-text.js';
import type {Layout} from '../layout.js';

/**
 * The C of what `_flashfreeze.info()["build"]` shows: the inputs and tools of the images. It is a file of its own, because no other
 * depends on the compiler and the system that it is made for. The layout comes first, as in all of our C.
 * @param record JSON
 */
export function generateBuildRecord({header}: Layout, record: string): string {
  return `#include "${header}"\n#include "flashfreeze.h"\nconst char *const ff_build_info = ${cString(Buffer.from(record, 'utf8'))};\n`;
}
