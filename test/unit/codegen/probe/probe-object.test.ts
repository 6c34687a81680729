/** What the probe says of real headers, and of a compiler that makes something else. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import type {AddressModel} from '../../../../src/codegen/address-model.js';
import {elfSymbols, readElf} from '../../../../src/codegen/object-file/read-elf.js';
import {decodeImageLayout, encodeImageLayout} from '../../../../src/codegen/probe/image-layout.js';
import {readProbe} from '../../../../src/codegen/probe/probe-object.js';
import {findPythons} from '../../../../support/pythons.js';
import {layoutOf} from '../../../support/fake-toolchain.js';
import {headersOf, measureLayout, wellKnownOf} from '../../../support/image-layouts.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('probe');
const newest = findPythons().at(-1);
if (newest === undefined) throw new Error('no Python here');
const {series} = newest;
const include = headersOf(newest.python);

describe.each<AddressModel>(['absolute', 'position-independent'])('%s', (model) => {
  const measured = measureLayout(series, include, model, folder);
  if (!measured.ok) throw new Error(measured.failure.message);
  const layout = measured.value;

  test('an argument of several fields goes into each, a derived field takes several', () => {
    const {nlocalsplus = [], stacksize = []} = layout.templates.code.fields;
    const derived = stacksize.filter(({at}) => nlocalsplus.some((each) => each.at === at));
    expect(derived).toEqual([{at: expect.any(Number) as unknown, width: 4, factor: 1}]);
  });

  test('pointers are words of eight bytes, links of tables as wide as the model has them', () => {
    const width = model === 'absolute' ? 8 : 4;
    expect(layout.templates.code.fields['consts']).toMatchObject([{width: 8, factor: 1}]);
    expect(layout.templates.image.fields['toplevel']).toMatchObject([{width, factor: 1}]);
    expect(layout.numbers.linkSize).toBe(width);
  });

  test('types are symbols where addresses are known, and left to the runtime elsewhere', () => {
    const types = Object.values(layout.templates).flatMap(({words}) => words.map(({symbol}) => symbol));
    expect(types.includes('PyCode_Type')).toBe(model === 'absolute');
    expect(types).toHaveLength(model === 'absolute' ? 11 : 0);
    const symbols = new Set([...layout.objects.values()].map(({symbol}) => symbol));
    expect([...symbols].sort()).toEqual(
      model === 'absolute'
        ? ['_PyRuntime', '_Py_EllipsisObject', '_Py_FalseStruct', '_Py_NoneStruct', '_Py_TrueStruct']
        : [undefined],
    );
  });

  test('it is the same after it was written and read', () => {
    const text = encodeImageLayout(layout);
    expect(encodeImageLayout(decodeImageLayout(text))).toBe(text);
    expect(text).not.toContain(folder);
  });

  test('an object file that lacks something of the probe is refused', () => {
    const object = readFileSync(join(folder, `probe-${model}.o`));
    const wellKnown = wellKnownOf(include);
    const read = (bytes: Uint8Array) => readProbe(bytes, layoutOf(series), wellKnown, model !== 'absolute');
    expect(read(object)).toMatchObject({ok: true});
    const renamed = Buffer.from(object);
    const name = renamed.indexOf('ff_probe_tuple_size_low\0');
    renamed.write('x', name, 'latin1');
    expect(read(renamed)).toMatchObject({
      failure: {code: 'LAYOUT', message: expect.stringContaining('ff_probe_tuple_size_low')},
    });
    expect(read(Buffer.from('!<arch>\n'))).toMatchObject({
      failure: {code: 'LAYOUT', message: 'the C compiler makes object files of an unknown format'},
    });
  });
});

test('an argument that is not simply added to a field is refused', () => {
  const wellKnown = wellKnownOf(include);
  const object = readFileSync(join(folder, 'probe-absolute.o'));
  const changed = Buffer.from(object);
  const elf = readElf(changed);
  const symbol =
    elf === undefined ? undefined : elfSymbols(elf).find(({name}) => name === 'ff_probe_bytes_size_all');
  const section = elf?.sections[symbol?.section ?? 0];
  const size = decodedField();
  // As if a layout wrote the square of it: sections are views of the file.
  Buffer.from(
    section?.bytes.buffer ?? new ArrayBuffer(0),
    section?.bytes.byteOffset,
    section?.bytes.length,
  ).writeUInt32LE(7, (symbol?.value ?? 0) + size);
  expect(readProbe(changed, layoutOf(series), wellKnown, false)).toMatchObject({
    failure: {code: 'LAYOUT', message: expect.stringContaining('bytes.size is not added to its fields')},
  });
});

/** Where an object of bytes has its size. */
function decodedField(): number {
  const measured = measureLayout(series, include, 'absolute', folder);
  return measured.ok ? (measured.value.templates.bytes.fields['size']?.[0]?.at ?? 0) : 0;
}
