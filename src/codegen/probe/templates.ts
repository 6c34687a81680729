import type {Layout} from '../layout.js';

/** A kind of object or table in images, as the layout's C has it. */
export interface TemplateSpec {
  /** The C type. */
  readonly type: string;
  /** The names of the arguments. */
  readonly parameters: readonly string[];
  /** The C initialiser of the variable `self` with these arguments. */
  readonly value: (argument: (parameter: string) => string, self: string) => string;
  /** The member at whose end an object grows: text, digits, items, bytecode. */
  readonly tail?: string;
  /** The member that is the Python object, if it is not the whole. */
  readonly object?: string;
}

/** The arguments of FF_CODE (layouts/), in their order; those of pointers first in neither form. */
const CODE_310 = [
  ...['argcount', 'posonlyargcount', 'kwonlyargcount', 'nlocals', 'stacksize', 'flags', 'firstlineno'],
  ...[
    'code',
    'consts',
    'names',
    'varnames',
    'freevars',
    'cellvars',
    'cell2arg',
    'filename',
    'name',
    'linetable',
  ],
] as const;
const CODE_311 = [
  ...['units', 'consts', 'names', 'exceptiontable', 'flags', 'argcount', 'posonlyargcount', 'kwonlyargcount'],
  ...['stacksize', 'firstlineno', 'nlocalsplus', 'nlocals', 'nplaincellvars', 'ncellvars', 'nfreevars'],
  ...['localsplusnames', 'localspluskinds', 'filename', 'name', 'qualname', 'linetable', 'firsttraceable'],
] as const;

/** The arguments that are pointers to objects. */
const POINTERS: ReadonlySet<string> = new Set([
  ...[
    'code',
    'consts',
    'names',
    'varnames',
    'freevars',
    'cellvars',
    'cell2arg',
    'filename',
    'name',
    'linetable',
  ],
  ...['exceptiontable', 'localsplusnames', 'localspluskinds', 'qualname'],
]);

const ascii: TemplateSpec = {
  type: 'FF_ASCII_TYPE(0)',
  parameters: ['length'],
  value: (argument) => `FF_ASCII(${argument('length')}, "")`,
  tail: 'data',
};

const text = (kind: 1 | 2 | 4): TemplateSpec => ({
  type: `FF_TEXT_TYPE(0, Py_UCS${kind})`,
  parameters: ['length'],
  value: (argument, self) => `FF_TEXT(${self}, ${argument('length')}, ${kind}, {0})`,
  tail: 'data',
});

const int = (sign: 1 | -1): TemplateSpec => ({
  type: 'FF_INT_TYPE(1)',
  parameters: ['digits'],
  value: (argument) => `FF_INT(${sign}, ${argument('digits')}, {0})`,
  tail: 'ob_digit',
});

/** The fields of a struct of flashfreeze.h, by their names there. */
const struct = (type: string, fields: readonly string[]): TemplateSpec => ({
  type,
  parameters: fields,
  value: (argument) =>
    `{${fields.map((field) => `.${field} = (__typeof__(((${type} *)0)->${field}))${argument(field)}`).join(', ')}}`,
});

const IMAGE_FIELDS = [
  ...[
    'name',
    'toplevel',
    'codes',
    'code_count',
    'strings',
    'built',
    'path',
    'digest',
    'marshal',
    'marshal_size',
  ],
] as const;

/** The parts of an image in the position-independent model, in the order of `FF_TABLES`… (src/runtime/flashfreeze.h). */
export const PARTS = ['tables', 'written', 'strings', 'rest'] as const;
export type Part = (typeof PARTS)[number];

/** The fields of an image that say where a part lies, and how large it is. */
export const PART_FIELDS: Readonly<Record<Part, {readonly distance: string; readonly size: string}>> =
  Object.fromEntries(
    PARTS.map((part, i) => [part, {distance: `parts[${i}].distance`, size: `parts[${i}].size`}]),
  ) as Record<Part, {distance: string; size: string}>;

/** Fields that images have in one address model only. */
const ABSOLUTE_FIELDS = ['written', 'written_size'];
const POSITION_INDEPENDENT_FIELDS = ['objects', ...PARTS.flatMap((part) => Object.values(PART_FIELDS[part]))];

/** Everything that images of this layout are made of. */
export function templateSpecs(layout: Layout, isPositionIndependent: boolean) {
  const code: TemplateSpec =
    layout.codeForm === '3.10'
      ? {
          type: 'FF_CODE_TYPE',
          parameters: CODE_310,
          value: (argument) => `FF_CODE(${CODE_310.map((each) => typed(each, argument)).join(', ')})`,
        }
      : {
          type: 'FF_CODE_TYPE(1)',
          parameters: CODE_311,
          value: (argument) => `FF_CODE(${CODE_311.map((each) => typed(each, argument)).join(', ')}, "")`,
          tail: 'co_code_adaptive',
        };
  return {
    code,
    ascii,
    text1: text(1),
    text2: text(2),
    text4: text(4),
    positive: int(1),
    negative: int(-1),
    bytes: {
      type: 'FF_BYTES_TYPE(0)',
      parameters: ['size'],
      value: (argument) => `FF_BYTES(${argument('size')}, "")`,
      tail: 'data',
    },
    float: {
      type: 'FF_FLOAT_TYPE',
      parameters: ['bits'],
      value: (argument) => `FF_FLOAT(${argument('bits')})`,
    },
    complex: {
      type: 'FF_COMPLEX_TYPE',
      parameters: ['real', 'imag'],
      value: (argument) => `FF_COMPLEX(${argument('real')}, ${argument('imag')})`,
    },
    tuple: {
      type: 'FF_TUPLE_TYPE(0)',
      parameters: ['size'],
      value: (argument) => `FF_TUPLE(${argument('size')}, {})`,
      tail: 'object.items',
      object: 'object',
    },
    built: struct('ff_built', ['kind', 'value', 'items', 'slots']),
    image: struct('ff_image', [
      ...IMAGE_FIELDS,
      ...(isPositionIndependent ? POSITION_INDEPENDENT_FIELDS : ABSOLUTE_FIELDS),
    ]),
  } as const satisfies Readonly<Record<string, TemplateSpec>>;
}

export type TemplateName = keyof ReturnType<typeof templateSpecs>;

function typed(parameter: string, argument: (parameter: string) => string): string {
  return POINTERS.has(parameter) ? `(PyObject *)${argument(parameter)}` : argument(parameter);
}
