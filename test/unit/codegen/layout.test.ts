import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {parseLayout} from '../../../src/codegen/layout.js';
import {parseWellKnownStrings} from '../../../src/codegen/objects/well-known.js';

const folder = join(import.meta.dirname, '../../../src/codegen/layouts');

describe('layout files', () => {
  test.each(readdirSync(folder).filter((name) => name !== 'common.h'))('%s states every fact', (name) => {
    const layout = parseLayout(name, readFileSync(join(folder, name), 'utf8'));
    expect(layout.ok).toBe(true);
    if (!layout.ok) return;
    expect(`python${layout.value.series}.h`).toBe(name);
    expect(layout.value.wrapped).toContain('PyMarshal_ReadObjectFromString');
  });

  test('3.13', () => {
    expect(parseLayout('python3.13.h', readFileSync(join(folder, 'python3.13.h'), 'utf8'))).toEqual({
      ok: true,
      value: {
        series: '3.13',
        header: 'python3.13.h',
        magic: 3571,
        sipRounds: [1, 3],
        codeForm: '3.11',
        smallInts: [-5, 256],
        resume: 149,
        countsReferences: false,
        staticSingletons: true,
        sharesOneByte: false,
        wellKnownInterned: true,
        wrapped: ['PyMarshal_ReadObjectFromString'],
        reModules: ['re._compiler', 're._parser', 're._constants', 're._casefix'],
        replacesCompile: true,
      },
    });
  });

  test('what nobody has compared is left to the interpreter', () => {
    const text = readFileSync(join(folder, 'python3.13.h'), 'utf8');
    const unknown = text.replaceAll(/^#define FF_(RE_MODULES|REPLACES_COMPILE) .*\n/gm, '');
    expect(parseLayout('python3.13.h', unknown)).toMatchObject({
      ok: true,
      value: {reModules: [], replacesCompile: false},
    });
  });

  test('a missing fact is named', () => {
    expect(parseLayout('x.h', '#define FF_SERIES "3.99"\n#define FF_MAGIC 1\n')).toMatchObject({
      ok: false,
      failure: {code: 'LAYOUT', message: expect.stringContaining('FF_CODE_FORM') as unknown},
    });
  });
});

test('well-known strings come from the header, with the expressions that name them', () => {
  const strings = parseWellKnownStrings(`
#define STRUCT_FOR_ID(NAME) STRUCT_FOR_ASCII_STR(#NAME) _py_ ## NAME;
struct _Py_global_strings {
    struct {
        STRUCT_FOR_STR(anon_lambda, "<lambda>")
        STRUCT_FOR_STR(newline, "\\n")
    } literals;
    struct {
        STRUCT_FOR_ID(__init__)
    } identifiers;`);
  expect([...strings]).toEqual([
    ['<lambda>', 'FF_OF_RUNTIME(_Py_STR(anon_lambda))'],
    ['__init__', 'FF_OF_RUNTIME(_Py_ID(__init__))'],
  ]);
});
