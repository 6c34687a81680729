import {canonicalKey} from '../marshal/key.js';
import {readMarshal} from '../marshal/reader.js';
import {digestOf} from '../model/digest.js';
import {type Result, fail, ok} from '../model/result.js';
import {type AddressModel, type Declaration, type ImageField, renderImage} from './address-model.js';
import {cString, mangle} from './c-text.js';
import type {Layout} from './layout.js';
import {ObjectsEmitter, UnsupportedConstant} from './objects/objects-emitter.js';
import {table} from './objects/slots.js';
import {codeObjects, readCodeUnit} from './unit.js';
import type {WellKnownStrings} from './objects/well-known.js';

export interface ImageInput {
  /** The module's name, such as `json.decoder`. */
  readonly module: string;
  /** The code unit from the stage-1 worker. */
  readonly unit: Uint8Array;
  readonly layout: Layout;
  readonly wellKnown: WellKnownStrings;
  readonly addressModel: AddressModel;
  /** The placeholder for `co_filename`, if the real one is filled in at run time. */
  readonly pathPlaceholder?: string;
  /** Keep the marshal bytes in the image, for modules that are in CPython's own tables of frozen modules. */
  readonly keepMarshal: boolean;
  /** Other marshal bytes of the same code to keep instead: the runtime recognises getpath by them. */
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
  try {
    return generate(input);
  } catch (error) {
    // V8's limits for strings and maps, which data of hundreds of megabytes reaches.
    if (!(error instanceof RangeError)) throw error;
    return fail('GENERATE', `module ${input.module} is too large: ${error.message}`);
  }
}

function generate(input: ImageInput): Result<string> {
  const unit = readCodeUnit(input.unit, input.layout);
  if (!unit.ok) return unit;
  const {code, prepared, interned} = unit.value;
  const kept = input.marshal ?? unit.value.marshal;
  if (input.marshal !== undefined) {
    const other = readMarshal(input.marshal, {codeForm: input.layout.codeForm});
    if (!other.ok) return other;
    if (canonicalKey(other.value) !== canonicalKey(code)) {
      return fail('GENERATE', `the interpreter's code for ${input.module} differs from that of its source`);
    }
  }
  const bytecode = new Map(codeObjects(code).map((object, i) => [object, prepared[i] ?? object.code]));
  const emitter = new ObjectsEmitter({
    layout: input.layout,
    wellKnown: input.wellKnown,
    pathPlaceholder: input.pathPlaceholder,
    bytecode,
    interned,
  });
  let toplevel: string;
  try {
    toplevel = emitter.code(code);
  } catch (error) {
    // The stack is too small for constants that are nested a thousand deep.
    if (error instanceof RangeError)
      return fail('GENERATE', `the constants of module ${input.module} are nested too deep`);
    if (!(error instanceof UnsupportedConstant)) throw error;
    return fail('GENERATE', `module ${input.module} has ${error.message}, which cannot be static`);
  }
  const marshal = input.keepMarshal ? kept : undefined;
  const declarations = [
    ...emitter.declarations,
    ...emitter.slots.declarations(),
    table(
      'ff_code',
      'codes',
      emitter.codeNames.map((name) => `FF_TO(${name})`),
    ),
    bytesTable('char', 'name', Buffer.from(`${input.module}\0`, 'utf8')),
    bytesTable('char', 'digest', Buffer.from(`${digestOf(input.unit)}\0`, 'ascii')),
    ...(marshal === undefined ? [] : [bytesTable('unsigned char', 'marshal', marshal)]),
  ];
  const fields: ImageField[] = [
    ['name', 'FF_TO(name)'],
    ['toplevel', `FF_TO(${toplevel})`],
    ['codes', 'FF_TO(codes)'],
    ['code_count', String(emitter.codeNames.length)],
    ['strings', 'FF_TO(strings)'],
    ['built', 'FF_TO(built)'],
    ['digest', 'FF_TO(digest)'],
  ];
  if (emitter.usesPath) fields.push(['path', 'FF_TO(path)']);
  if (marshal !== undefined)
    fields.push(['marshal', 'FF_TO(marshal)'], ['marshal_size', String(marshal.length)]);
  return ok(
    [
      `#include "${input.layout.header}"`,
      '#include "flashfreeze.h"',
      ...renderImage(input.addressModel, imageSymbol(input.module), declarations, fields),
      '',
    ].join('\n'),
  );
}

function bytesTable(type: string, name: string, bytes: Uint8Array): Declaration {
  return {
    kind: 'table',
    storage: 'static const',
    type,
    name,
    count: bytes.length,
    value: cString(bytes),
  };
}
