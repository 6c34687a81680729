import {expect, test} from '@jest/globals';
import {generateBuildRecord} from '../../../../src/codegen/tables/build-record.js';
import {generateExpressions} from '../../../../src/codegen/tables/expression-table.js';
import {hashBytes} from '../../../../src/codegen/tables/hash-table.js';
import {generateIndex, indexId, type IndexInput} from '../../../../src/codegen/tables/index-table.js';
import {generateSnippets} from '../../../../src/codegen/tables/snippet-table.js';
import {layoutOf} from '../../../support/fake-toolchain.js';

const layout = layoutOf('3.13');

/** The rows of a table, and the bucket that its first entry is in. */
function tableIn(c: string, name: string) {
  const rows = [...(/\[\] = \{\n([^]*?)\{0\}\};/.exec(c)?.[1] ?? '').matchAll(/\{([^}]*)\},\n/g)];
  const list = new RegExp(`ff_${name}_buckets\\[\\] = \\{([^}]*)\\}`).exec(c)?.[1] ?? '';
  const buckets = list.split(',').map(Number);
  return {rows: rows.map(([, row = '']) => row.split(',').map(Number)), buckets};
}

test('expressions: text with the names of groups, code with their numbers, found by text, flags and kind', () => {
  const word = {bytes: false, text: 'é(?P<n>x)', flags: 2, allFlags: 34, code: [1, 2, 3], groups: 1} as const;
  const c = generateExpressions([
    {...word, names: [['n', 1]]},
    {...word, bytes: true, names: []},
  ]);
  const {rows, buckets} = tableIn(c, 'expression');
  const [utf8, latin1] = [10, 9];
  expect(rows).toEqual([
    [0, utf8, 0, 3, 2, 34, 1, 1, 0],
    [utf8 + 2, latin1, 4, 3, 2, 34, 1, 0, 1],
  ]);
  expect(c).toContain('ff_expression_code[] = {1u, 2u, 3u, 1u, 1u, 2u, 3u, 0}');
  const hash = hashBytes(Buffer.from(word.text)) ^ 4;
  expect(buckets[(hash >>> 0) % buckets.length]).toBe(1);
});

test('no entry: a table that the runtime finds nothing in', () => {
  for (const c of [generateExpressions([]), generateSnippets([])]) {
    expect(c).toMatch(/_count = 0;/);
    expect(c).toMatch(/_buckets\[\] = \{(0, ){15}0\}/);
  }
});

test('snippets: text, filename and code in one text, found by text', () => {
  const code = Buffer.from('marshal').toString('base64');
  const c = generateSnippets([
    {text: 'a + b', filename: '<string>', flags: 0, mode: 'eval', code},
    {text: 'x = 1', filename: '<f>', flags: 16, mode: 'exec', code},
  ]);
  const {rows, buckets} = tableIn(c, 'snippet');
  expect(rows).toEqual([
    [0, 5, 8, 7, 0, 1],
    [20, 5, 3, 7, 16, 0],
  ]);
  expect(c).toMatch(/"a \+ b<string>marshalx = 1<f>marshal"/);
  expect(buckets[hashBytes(Buffer.from('a + b')) % buckets.length]).toBe(1);
});

const INDEX: IndexInput = {
  layout,
  frozenRows: [
    {name: 'os', module: 'os'},
    {name: 'os.path', module: 'posixpath'},
  ],
  sources: [{module: 'json', isPackage: true, root: 1, key: 'json'}],
  roots: ['stdlib', {path: '/app'}],
  frozenFirst: false,
  hasStamps: true,
  restsCollector: false,
  exitsFast: false,
  preparedTables: '/* tables */',
  hasGetpath: true,
};

test('the index declares each image once, and refers to it from rows and sources', () => {
  const c = generateIndex(INDEX);
  expect(c.match(/^extern const ff_image \w+;$/gm)).toHaveLength(4);
  expect(c).toMatch(/\{"os\.path", &\w*posixpath\w*\},/);
  expect(c).toMatch(/\{"json", &\w*json\w*, 1, 1\},/);
  expect(c).toContain('const ff_root ff_roots[] = {NULL, "/app", NULL};\nconst uint32_t ff_root_count = 2;');
  expect(c).toContain('/* tables */');
  expect(c).toContain('const char *const ff_target = NULL;');
  expect(c).toContain(`ff_index_id = "${indexId(INDEX.sources)}"`);
});

test.each<[string, Partial<IndexInput>, string]>([
  ['frozen modules first', {frozenFirst: true}, 'ff_frozen_first = 1;'],
  ['sys.path first', {}, 'ff_frozen_first = 0;'],
  ['a collector that rests', {restsCollector: true}, 'ff_rests_collector = 1;'],
  ['no stamps', {hasStamps: false}, 'ff_has_stamps = 0;'],
  ['no getpath', {hasGetpath: false}, 'ff_getpath = NULL;'],
  ['its own path', {}, 'wchar_t *const ff_original_path = NULL;'],
  [
    'the path of another',
    {programName: '/ü/𝄞'},
    'ff_original_path = (const wchar_t[]){47, 252, 47, 119070, 0};',
  ],
  ['one interpreter alone', {targetVersion: '3.13.0 (x)'}, 'ff_target = "3.13.0 (x)";'],
])('the index says: %s', (_, change, expected) => {
  expect(generateIndex({...INDEX, ...change})).toContain(expected);
});

test('the list of sources is identified by names, roots and order', () => {
  const [a, b] = ['a', 'b'].map((key) => ({module: key, isPackage: false, root: 0, key}));
  if (a === undefined || b === undefined) throw new Error();
  const ids = [[a, b], [b, a], [a], [{...a, root: 1}, b], [{...a, key: 'x'}, b]].map(indexId);
  expect(new Set(ids).size).toBe(5);
});

test('the build record is C of its bytes', () => {
  expect(generateBuildRecord(layout, '{"a":"é"}')).toBe(
    '#include "python3.13.h"\n#include "flashfreeze.h"\nconst char *const ff_build_info = "{\\042a\\042:\\042\\303\\251\\042}";\n',
  );
});
