import {cArray} from '../c-text.js';
import type {Layout} from '../layout.js';
import type {WellKnownStrings} from '../objects/well-known.js';
import {type TemplateSpec, templateSpecs} from './templates.js';

/** The values that each argument of a template is given: which bytes they change says where it goes. */
export const MARKERS = {
  /** Changes the lowest byte of each field that holds the argument. */
  low: '1',
  /** Changes all bytes of these fields. */
  all: '0x0101010101010101',
} as const;
export type Marker = keyof typeof MARKERS;

/** Names of the probe's variables. */
export const PROBE = {
  template: (template: string): string => `ff_probe_${template}`,
  variant: (template: string, parameter: string, marker: Marker): string =>
    `ff_probe_${template}_${parameter.replaceAll(/\W+/g, '_')}_${marker}`,
  sizes: 'ff_probe_sizes',
  objects: 'ff_probe_objects',
  numbers: 'ff_probe_numbers',
  distance: 'ff_probe_distance',
} as const;

/** What the probe says of each template in `sizes`. */
export const SIZES = ['size', 'align', 'tail', 'object'] as const;

/** Numbers that the layout has besides. */
export const NUMBERS = ['linkSize', 'pathSize', 'builtSize', ...kinds()] as const;

/** The constants of `ff_built.kind` and their names in the C. */
export type BuiltKind = 'FROZENSET' | 'SLICE' | 'INT' | 'STR' | 'BYTES' | 'TUPLE';
function kinds(): readonly `built${BuiltKind}`[] {
  return ['builtFROZENSET', 'builtSLICE', 'builtINT', 'builtSTR', 'builtBYTES', 'builtTUPLE'];
}
const NUMBER_EXPRESSIONS: Readonly<Record<(typeof NUMBERS)[number], string>> = {
  linkSize: 'sizeof(ff_slot)',
  pathSize: 'sizeof(FF_ASCII_TYPE(FF_PATH_CAPACITY))',
  builtSize: 'sizeof(ff_built)',
  builtFROZENSET: 'FF_BUILD_FROZENSET',
  builtSLICE: 'FF_BUILD_SLICE',
  builtINT: 'FF_BUILD_INT',
  builtSTR: 'FF_BUILD_STR',
  builtBYTES: 'FF_BUILD_BYTES',
  builtTUPLE: 'FF_BUILD_TUPLE',
};

/** The objects of the interpreter that images refer to: their names here, and their expressions in C. */
export function ownObjects(layout: Layout, wellKnown: WellKnownStrings): ReadonlyMap<string, string> {
  const own = new Map([
    ['None', 'FF_NONE'],
    ['True', 'FF_TRUE'],
    ['False', 'FF_FALSE'],
    ['Ellipsis', 'FF_ELLIPSIS'],
  ]);
  if (!layout.staticSingletons) return own;
  const [min, max] = layout.smallInts;
  for (let value = min; value <= max; value++) own.set(`int ${value}`, `FF_SMALL_INT(${value})`);
  for (let code = 0; code < 0x100; code++) {
    own.set(`char ${code}`, code < 0x80 ? `FF_ASCII_CHAR(${code})` : `FF_LATIN1_CHAR(${code})`);
    own.set(`byte ${code}`, `FF_BYTES_CHAR(${code})`);
  }
  own.set('str', 'FF_EMPTY_STR');
  own.set('bytes', 'FF_EMPTY_BYTES');
  own.set('tuple', 'FF_EMPTY_TUPLE');
  for (const [text, expression] of wellKnown) own.set(`text ${text}`, expression);
  return own;
}

/**
 * The C of the probe: one object of each kind that images have, the same with each argument changed, and pointers to the interpreter's
 * own objects. The target's compiler compiles it against the target's headers, with the assertions of the layout;
 * `readProbe` reads from the object file what images have to look like.
 */
export function generateProbe(
  layout: Layout,
  wellKnown: WellKnownStrings,
  isPositionIndependent: boolean,
): string {
  const specs = Object.entries<TemplateSpec>(templateSpecs(layout, isPositionIndependent));
  const own = [...ownObjects(layout, wellKnown).values()];
  return [
    `#include "${layout.header}"`,
    '#include "flashfreeze.h"',
    ...specs.flatMap(([name, spec]) => [
      variable(spec, PROBE.template(name)),
      ...spec.parameters.flatMap((parameter) =>
        (['low', 'all'] as const).map((marker) =>
          variable(spec, PROBE.variant(name, parameter, marker), {parameter, marker}),
        ),
      ),
    ]),
    `unsigned long long ${PROBE.sizes}[] = ${cArray(specs.flatMap(([, spec]) => sizesOf(spec)))};`,
    `unsigned long long ${PROBE.numbers}[] = ${cArray(NUMBERS.map((name) => NUMBER_EXPRESSIONS[name]))};`,
    `PyObject *${PROBE.objects}[] = ${cArray(own)};`,
    // No initialiser in C is the distance between two variables.
    `__asm__(".pushsection .data\\n.type ${PROBE.distance}, %object\\n.size ${PROBE.distance}, 4\\n"`,
    `        "${PROBE.distance}: .long PyCode_Type - .\\n.popsection\\n");`,
    '',
  ].join('\n');
}

function variable(
  {type, value}: TemplateSpec,
  name: string,
  changed?: {readonly parameter: string; readonly marker: Marker},
): string {
  const argument = (parameter: string): string =>
    parameter === changed?.parameter ? MARKERS[changed.marker] : '0';
  return `${type} ${name} = ${value(argument, name)};`;
}

function sizesOf({type, tail, object}: TemplateSpec): string[] {
  return [
    `sizeof(${type})`,
    `_Alignof(${type})`,
    tail === undefined ? `sizeof(${type})` : `offsetof(${type}, ${tail})`,
    object === undefined ? '0' : `offsetof(${type}, ${object})`,
  ];
}
