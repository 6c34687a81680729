import {canonicalKey} from '../marshal/key.js';
import {readMarshal} from '../marshal/reader.js';
import {digestOf} from '../model/digest.js';
import {type Result, fail, ok} from '../model/result.js';
import type {AddressModel} from './address-model.js';
import type {Block} from './blocks/block.js';
import {BlockList} from './blocks/block-list.js';
import {layOutParts} from './blocks/parts.js';
import {layOutVariables} from './blocks/variables.js';
import {mangle} from './c-text.js';
import type {Layout} from './layout.js';
import type {ObjectFile} from './object-file/object-file.js';
import {ObjectsEmitter, UnsupportedConstant} from './objects/objects-emitter.js';
import type {ImageLayout} from './probe/image-layout.js';
import {codeObjects, readCodeUnit} from './unit.js';

export interface ImageInput {
  /** The module's name, such as `json.decoder`. */
  readonly module: string;
  /** The code unit from the stage-1 worker. */
  readonly unit: Uint8Array;
  readonly layout: Layout;
  /** How objects look in the target, in this address model. */
  readonly imageLayout: ImageLayout;
  readonly addressModel: AddressModel;
  /** The placeholder for `co_filename`, if the real one is filled in at run time. */
  readonly pathPlaceholder?: string;
  /** Keep the marshal bytes in the image, for modules that are in CPython's own tables of frozen modules. */
  readonly keepMarshal: boolean;
  /** Other marshal bytes of the same code to keep instead: the runtime recognises getpath by them. */
  readonly marshal?: Uint8Array;
}

/** The symbol of a module's image. */
export function imageSymbol(module: string): string {
  return `ff_image_${mangle(module)}`;
}

/**
 * The object file of one module's image, as data; `writeElf` and `assemblerText` write it. The same input gives the same on any machine.
 * Fails with MARSHAL for a unit that cannot be read, with GENERATE for constants that no static object can express.
 */
export function generateImage(input: ImageInput): Result<ObjectFile> {
  try {
    return generate(input);
  } catch (error) {
    // V8's limits for strings and maps, which data of hundreds of megabytes reaches.
    if (!(error instanceof RangeError)) throw error;
    return fail('GENERATE', `module ${input.module} is too large: ${error.message}`);
  }
}

function generate(input: ImageInput): Result<ObjectFile> {
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
  const {layout, imageLayout} = input;
  const list = new BlockList(imageLayout);
  const emitter = new ObjectsEmitter({
    layout,
    imageLayout,
    list,
    pathPlaceholder: input.pathPlaceholder,
    bytecode,
    interned,
  });
  let toplevel: Block;
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
  const image = list.make({
    ...{letter: 'image', name: 'image', kind: 'table', place: 'constant', template: 'image'},
    arguments: {
      ...emitter.slots.addTables(list, imageLayout),
      toplevel: toplevel.start,
      codes: list.links(
        'codes',
        emitter.codes.map((code) => code.start),
      ).start,
      code_count: emitter.codes.length,
      name: list.table('name', Buffer.from(`${input.module}\0`, 'utf8'), 1).start,
      digest: list.table('digest', Buffer.from(`${digestOf(input.unit)}\0`, 'ascii'), 1).start,
      path: emitter.path?.start,
      ...(marshal === undefined
        ? {}
        : {marshal: list.table('marshal', marshal, 1).start, marshal_size: marshal.length}),
    },
  });
  const symbol = imageSymbol(input.module);
  return ok(
    input.addressModel === 'absolute'
      ? layOutVariables(symbol, image, list, layout.countsReferences)
      : layOutParts(symbol, image, list, imageLayout, layout.countsReferences),
  );
}
