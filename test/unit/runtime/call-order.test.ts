/** The files of the runtime form no cycle: each calls only what lies below it, in the order that the headers give. */
import {describe, expect, test} from '@jest/globals';
import {definedNames, mentionedNames, runtimeFiles, withoutComments} from './c-source.js';

const sources = runtimeFiles('.c');
const headers = runtimeFiles('.h');

/** A header's parts, each for a file: `/* classes.c: …` and the declarations up to the next such line. */
function partsOf(header: string): readonly (readonly [file: string, declared: readonly string[]])[] {
  const [, ...parts] = (headers.get(header) ?? '').split(/^\/\* (?=[\w/…-]+\.c\b)/m);
  return parts.map((part) => {
    const file = /^[\w/…-]+\.c/.exec(part)?.[0] ?? '';
    const declarations = withoutComments(`/* ${part}`).matchAll(/\b(ff_\w+)\(/g);
    return [file, [...declarations].map((match) => match[1] ?? '')] as const;
  });
}

/** Files whose functions a header of their own declares. */
const OWN_HEADERS: Readonly<Record<string, string>> = {
  'import/import-….c': 'import/import.h',
  'snapshot/….c': 'snapshot/restore.h',
};
const parts = partsOf('flashfreeze.h').flatMap(([file, declared]) => {
  const header = OWN_HEADERS[file];
  return header === undefined ? [[file, declared] as const] : partsOf(header);
});
const order = parts.map(([file]) => file);

/** Which file defines each function and variable that others may use. */
const definers = new Map(
  [...sources].flatMap(([file, text]) => definedNames(text).map((name) => [name, file] as const)),
);

test('every file that others call has a part in a header, once', () => {
  const called = [...sources].flatMap(([file, text]) =>
    [...mentionedNames(text)]
      .map((name) => definers.get(name))
      .filter((definer) => definer !== undefined && definer !== file),
  );
  expect([...new Set(order)]).toEqual(order);
  expect(order).toEqual(expect.arrayContaining([...new Set(called)]));
  expect(definers.size).toBeGreaterThan(40);
});

test.each(parts)('%s has its functions, and no others, in its part', (file, declared) => {
  const defined = definedNames(sources.get(file) ?? '').filter((name) => name !== 'ff_import');
  expect([...new Set(declared)].sort()).toEqual([...new Set(defined)].sort());
});

describe('calls go downwards', () => {
  test.each([...sources])('in %s', (file, text) => {
    const own = order.includes(file) ? order.indexOf(file) : order.length;
    const upwards = [...mentionedNames(text)].filter((name) => {
      const definer = definers.get(name);
      return definer !== undefined && definer !== file && order.indexOf(definer) > own;
    });
    expect(upwards.map((name) => `${name}() of ${definers.get(name) ?? ''}`)).toEqual([]);
  });
});
