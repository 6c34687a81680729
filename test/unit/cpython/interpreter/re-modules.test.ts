/** Which modules compile regular expressions stands in the layout files; two scripts, which run everywhere, name them too. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {parseLayout} from '../../../../src/codegen/layout.js';

const LAYOUTS = 'src/codegen/layouts';
const script = (name: string): string => readFileSync(join('src/cpython/interpreter/scripts', name), 'utf8');

const lists = readdirSync(LAYOUTS)
  .filter((name) => name.startsWith('python'))
  .flatMap((name) => {
    const layout = parseLayout(name, readFileSync(join(LAYOUTS, name), 'utf8'));
    return layout.ok && layout.value.reModules.length > 0 ? [layout.value.reModules] : [];
  });
const compilers = [...new Set(lists.map(([compiler = '']) => compiler))].sort();
const parsers = [...new Set(lists.map(([, parser = '']) => parser))].sort();

/** The module that an import statement gives a name: `from re import _compiler as compiler`. */
function importedAs(name: string): readonly string[] {
  const imports = script('compile_expressions.py').matchAll(/^ *(?:from (\w+) )?import (.+)$/gm);
  return [...imports]
    .flatMap(([, from, list = '']) => list.split(', ').map((each) => [from, ...each.split(' as ')]))
    .flatMap(([from, module, alias]) =>
      alias === name ? [from === undefined ? module : `${from}.${module}`] : [],
    )
    .map(String)
    .sort();
}

test('the script that compiles expressions imports the compiler and the parser of every layout', () => {
  expect(compilers.length).toBeGreaterThan(1);
  expect(importedAs('compiler')).toEqual(compilers);
  expect(importedAs('parser')).toEqual(parsers);
});

test('the script that traces programs watches the compiler of every layout', () => {
  const [, watched = ''] = /^ *compilers = \((.*)\)/m.exec(script('trace_imports.py')) ?? [];
  expect(watched.replaceAll('"', '').split(', ').sort()).toEqual(compilers);
});
