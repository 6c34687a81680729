/** The ESLint rules of scripts/eslint-imports.mjs, and through them eslint.config.mjs: what may be imported, and no cycles. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const PACKAGE = resolve(import.meta.dirname, '../../..');
const TABLE = {model: [], engine: ['model']};

/** What ESLint reports about a tree of files, one `file: message` each. */
function lint(files: Readonly<Record<string, string>>): string[] {
  const directory = temporaryDirectory();
  const config = `
    import imports from ${JSON.stringify(join(PACKAGE, 'scripts/eslint-imports.mjs'))};
    import parser from ${JSON.stringify(join(PACKAGE, 'node_modules/@typescript-eslint/parser/dist/index.js'))};
    export default [{
      files: ['**/*.ts'],
      languageOptions: {parser},
      plugins: {imports},
      rules: {
        'imports/no-cycle': 'error',
        'imports/may-import': ['error', {root: ${JSON.stringify(join(directory, 'src'))}, table: ${JSON.stringify(TABLE)}}],
      },
    }];`;
  for (const [name, text] of Object.entries({...files, 'eslint.config.mjs': config})) {
    mkdirSync(dirname(join(directory, name)), {recursive: true});
    writeFileSync(join(directory, name), text);
  }
  const eslint = join(PACKAGE, 'node_modules/eslint/bin/eslint.js');
  const {stdout, stderr} = spawnSync(process.execPath, [eslint, '--format', 'json', 'src'], {
    cwd: directory,
    encoding: 'utf8',
  });
  if (stderr !== '') throw new Error(stderr);
  const reports = JSON.parse(stdout) as {filePath: string; messages: {message: string}[]}[];
  return reports.flatMap(({filePath, messages}) =>
    messages.map(({message}) => `${relative(directory, filePath)}: ${message}`),
  );
}

describe('imports', () => {
  test('that point downwards are allowed', () => {
    const found = lint({
      'src/model/a.ts': "import {b} from './b.js';\nimport fs from 'node:fs';\nexport const a = [b, fs];",
      'src/model/b.ts': 'export const b = 1;',
      'src/engine/c.ts':
        "export {a} from '../model/a.js';\nexport const load = () => import('../model/b.js');",
      'src/engine/below/d.ts': "import type {a} from '../../model/a.js';\nexport type D = typeof a;",
    });
    expect(found).toEqual([]);
  });

  test('that point upwards are errors, of whatever kind they are', () => {
    const texts = [
      "import {c} from '../engine/c.js';\nexport const a = c;",
      "import type {C} from '../engine/c.js';\nexport type A = C;",
      "export {c} from '../engine/c.js';",
      "export * from '../engine/c.js';",
      "export const load = () => import('../engine/c.js');",
      "export type A = import('../engine/c.js').C;",
    ];
    const found = lint({
      ...Object.fromEntries(texts.map((text, i) => [`src/model/${i}.ts`, text])),
      'src/engine/c.ts': 'export const c = 1;\nexport type C = 1;',
    });
    expect(found).toEqual(texts.map((_, i) => `src/model/${i}.ts: src/model may import only from: nothing`));
  });

  test('out of src, and from directories that are missing from the table, are errors', () => {
    const found = lint({
      'src/engine/a.ts': "import '../../test/t.js';",
      'src/unknown/b.ts': 'export const b = 1;',
      'test/t.ts': 'export const t = 1;',
    });
    expect(found).toEqual([
      'src/engine/a.ts: src/engine may import only from: model',
      'src/unknown/b.ts: src/unknown is missing from the table of imports',
    ]);
  });

  test('that form a cycle are errors, also where a link is a type', () => {
    const found = lint({
      'src/model/a.ts': "import {b} from './b.js';\nexport const a = b;",
      'src/model/b.ts': "import {c} from './c.js';\nexport const b = c;\nexport type B = number;",
      'src/model/c.ts': "import type {B} from './b.js';\nexport const c: B = 1;",
    });
    expect(found).toEqual([
      'src/model/b.ts: import cycle: src/model/b.ts → src/model/c.ts → src/model/b.ts',
      'src/model/c.ts: import cycle: src/model/c.ts → src/model/b.ts → src/model/c.ts',
    ]);
  });
});
