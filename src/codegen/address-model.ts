import {cArray} from './c-text.js';

/**
 * How static objects point to each other. `absolute`: each is a variable, and a pointer is a link-time constant; for
 * executables with fixed addresses. `position-independent`: an image is one struct without a pointer in it, and the runtime
 * puts them in when the module is first imported (src/runtime/relocate.c); for everything whose address is known only at
 * run time, where each pointer would cost the loader time at every start.
 */
export type AddressModel = 'absolute' | 'position-independent';

/** The kind of a declaration: a Python object by its type, or a table for the runtime. */
export type DeclarationKind = 'code' | 'str' | 'bytes' | 'int' | 'float' | 'complex' | 'tuple' | 'table';

/** One static object or table of an image. */
export interface Declaration {
  readonly kind: DeclarationKind;
  /** The storage class and section attribute of a variable. */
  readonly storage: string;
  /** The C type; of an element when there is a `count`. */
  readonly type: string;
  readonly name: string;
  /** The number of elements of an array. */
  readonly count?: number;
  /** The initialiser. */
  readonly value: string;
}

/** The kinds in the order of `FF_KIND_…` (src/runtime/flashfreeze.h). */
const OBJECT_KINDS = ['str', 'bytes', 'int', 'float', 'complex', 'tuple'] as const;

/** A field of `ff_image` with its initialiser. */
export type ImageField = readonly [name: string, value: string];

/** The C of an image: its objects and tables, and the descriptor under the name `symbol`. */
export function renderImage(
  model: AddressModel,
  symbol: string,
  declarations: readonly Declaration[],
  fields: readonly ImageField[],
): string[] {
  return model === 'absolute'
    ? renderVariables(symbol, declarations, fields)
    : renderStruct(symbol, declarations, fields);
}

function renderVariables(
  symbol: string,
  declarations: readonly Declaration[],
  fields: readonly ImageField[],
): string[] {
  return [
    ...declarations.map((each) => `${each.storage} ${declarator(each)} = ${each.value};`),
    `const ff_image ${symbol} = ${initialiser(fields)};`,
  ];
}

function renderStruct(
  symbol: string,
  declarations: readonly Declaration[],
  fields: readonly ImageField[],
): string[] {
  const lists = OBJECT_KINDS.map((kind) =>
    declarations.filter((each) => each.kind === kind).map((each) => `FF_TO(${objectOf(each)}), `),
  );
  const objects: Declaration = {
    kind: 'table',
    storage: '',
    type: 'uint32_t',
    name: 'objects',
    count: lists.flat().length + lists.length,
    value: `{${lists.map((list) => `${list.join('')}0`).join(',\n')}}`,
  };
  // Read-only data comes last, so that its pages stay clean.
  const ofKind = (...kinds: readonly DeclarationKind[]): Declaration[] =>
    declarations.filter(({kind}) => kinds.includes(kind));
  const members = [
    ...ofKind('code', 'tuple'),
    ...ofKind('str'),
    ...ofKind('bytes', 'int', 'float', 'complex'),
    objects,
    ...ofKind('table'),
  ];
  const all: readonly ImageField[] = [
    ...fields,
    ['objects', 'FF_TO(objects)'],
    ['size', 'sizeof(struct ff_module)'],
  ];
  return [
    'struct ff_module {\nff_image image;',
    ...members.map((each) => `${declarator(each)};`),
    '};',
    `extern struct ff_module ${symbol};`,
    `FF_IN_IMAGE struct ff_module ${symbol} = {.image = ${initialiser(all)},`,
    ...members.map((each) => `.${each.name} = ${each.value},`),
    '};',
  ];
}

/** The member that is the Python object: in a tuple, it follows the garbage collector's head. */
function objectOf({kind, name}: Declaration): string {
  return kind === 'tuple' ? `${name}.object` : name;
}

function declarator({type, name, count}: Declaration): string {
  return `${type} ${name}${count === undefined ? '' : `[${count}]`}`;
}

function initialiser(fields: readonly ImageField[]): string {
  return cArray(fields.map(([name, value]) => `.${name} = ${value}`));
}
