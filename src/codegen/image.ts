import {canonicalKey} from '../marshal/key.js';
import {readMarshal} from '../marshal/reader.js';
import {type Digest, digestOf} from '../model/digest.js';
import {type Result, fail, ok} from '../model/result.js';
import {cAsciiString, cString, mangle} from './c-text.js';
import type {Layout} from './layout.js';
import {ObjectsEmitter, UnsupportedConstant} from './objects-emitter.js';
import {codeObjects, readCodeUnit} from './unit.js';
import type {WellKnownStrings} from './well-known.js';

export interface ImageInput {
  /** The module's name, such as `json.decoder`. */
  readonly module: string;
  /** The code unit from the stage-1 worker. */
  readonly unit: Uint8Array;
  readonly layout: Layout;
  readonly wellKnown: WellKnownStrings;
  /** The file name that the code was compiled with, when the real one is to be filled in at run time. */
  readonly pathPlaceholder?: string;
  /** Keep the marshal bytes in the image, for modules that are in CPython's own tables of frozen modules. */
  readonly keepMarshal: boolean;
  /** Other marshal bytes of the same code, to be kept instead: the runtime recognises getpath by them. */
  readonly marshal?: Uint8Array;
}

/** The C symbol of a module's image. */
export function imageSymbol(module: string): string {
  return `ff_image_${mangle(module)}`;
}

/**
 * The C of one module image. The same input gives the same bytes on any machine.
 * Fails with MARSHAL for a unit that cannot be read, with GENERATE for constants that no static object can express.
 */
export function generateImage(input: ImageInput): Result<string> {
  const unit = readCodeUnit(input.unit, input.layout);
  if (!unit.ok) return unit;
  const {code, prepared} = unit.value;
  const kept = input.marshal ?? unit.value.marshal;
  if (input.marshal !== undefined) {
    const other = readMarshal(input.marshal, {codeForm: input.layout.codeForm});
    if (!other.ok) return other;
    if (canonicalKey(other.value) !== canonicalKey(code)) {
      return fail('GENERATE', `The interpreter has other code for ${input.module} than its source gives.`);
    }
  }
  const bytecode = new Map(codeObjects(code).map((object, i) => [object, prepared[i] ?? object.code]));
  const emitter = new ObjectsEmitter({
    layout: input.layout,
    wellKnown: input.wellKnown,
    pathPlaceholder: input.pathPlaceholder,
    bytecode,
  });
  let toplevel: string;
  try {
    toplevel = emitter.code(code);
  } catch (error) {
    if (!(error instanceof UnsupportedConstant)) throw error;
    return fail('GENERATE', `The module ${input.module} has ${error.message}, which cannot be static.`);
  }
  return ok(
    [
      `#include "${input.layout.header}"`,
      '#include "flashfreeze.h"',
      ...(emitter.usesPath
        ? ['static FF_IN_PATH FF_ASCII_TYPE(FF_PATH_CAPACITY) path = FF_ASCII(0, "");']
        : []),
      ...emitter.declarations,
      ...emitter.slots.emit(),
      `static PyCodeObject *const codes[] = {${emitter.codeNames.map((name) => `(PyCodeObject *)&${name}`).join(', ')}};`,
      ...(input.keepMarshal
        ? [`static const unsigned char marshal[${kept.length}] =\n${cString(kept)};`]
        : []),
      descriptor(input, toplevel, emitter, digestOf(unit.value.marshal)),
      '',
    ].join('\n'),
  );
}

function descriptor(input: ImageInput, toplevel: string, emitter: ObjectsEmitter, digest: Digest): string {
  const fields = [
    `.name = ${cAsciiString(input.module)}`,
    `.toplevel = (PyCodeObject *)&${toplevel}`,
    '.codes = codes',
    `.code_count = ${emitter.codeNames.length}`,
    '.strings = strings',
    '.frozensets = frozensets',
    ...(emitter.usesPath ? ['.path = (PyObject *)&path'] : []),
    `.digest = "${digest}"`,
    ...(input.keepMarshal ? ['.marshal = marshal', '.marshal_size = sizeof(marshal)'] : []),
  ];
  return `const ff_image ${imageSymbol(input.module)} = {${fields.join(', ')}};`;
}
