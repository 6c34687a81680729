/** Imports form no cycle: ESLint's rule leaves out imports of types, which tie files together all the same. */
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join, normalize, resolve} from 'node:path';
import {expect, test} from '@jest/globals';
import ts from 'typescript';

const PACKAGE = resolve(import.meta.dirname, '../../..');

type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** What each file imports, types included, of the files in `texts` (text by path). */
function importGraph(texts: ReadonlyMap<string, string>): ImportGraph {
  return new Map(
    [...texts].map(([file, text]) => {
      const imported = ts
        .preProcessFile(text)
        .importedFiles.map(({fileName}) => normalize(join(dirname(file), fileName)).replace(/\.js$/, '.ts'));
      return [file, imported.filter((path) => texts.has(path))];
    }),
  );
}

/** The first cycle that a depth-first search meets, as the files on it; undefined when there is none. */
function findCycle(graph: ImportGraph): readonly string[] | undefined {
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (finished.has(file)) return undefined;
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    for (const imported of graph.get(file) ?? []) {
      const cycle = visit(imported, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

test('a cycle of type imports is found', () => {
  const texts = new Map([
    ['src/a.ts', "import {b} from './b.js';"],
    ['src/b.ts', "import {c} from './below/c.js';"],
    ['src/below/c.ts', "import type {B} from '../b.js';"],
  ]);
  expect(findCycle(importGraph(texts))).toEqual(['src/b.ts', 'src/below/c.ts', 'src/b.ts']);
  texts.set('src/below/c.ts', "import type {Z} from 'zod';");
  expect(findCycle(importGraph(texts))).toBeUndefined();
});

test.each(['src', 'bench', 'test'])('no imports of %s form a cycle', (folder) => {
  const listed = execFileSync('git', ['ls-files', '-z', '--', folder], {cwd: PACKAGE, encoding: 'utf8'});
  const files = listed.split('\0').filter((file) => file.endsWith('.ts') && existsSync(join(PACKAGE, file)));
  const texts = new Map(files.map((file) => [file, readFileSync(join(PACKAGE, file), 'utf8')]));
  const graph = importGraph(texts);
  expect([...graph.values()].flat().length).toBeGreaterThan(files.length / 2);
  expect(findCycle(graph)).toBeUndefined();
});
