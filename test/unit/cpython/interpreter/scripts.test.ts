import {readdirSync, readFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {expect, test} from '@jest/globals';
import {scriptFiles, scriptPath, type ScriptName} from '../../../../src/cpython/interpreter/scripts.js';

const folder = join(scriptPath('trace_imports.py'), '..');
const files = readdirSync(folder).filter((name) => name.endsWith('.py'));

/** What a file imports from beside it, at any depth, or runs as a part of its own text, and names in quotes. */
function importedBy(name: string): readonly string[] {
  const text = readFileSync(join(folder, name), 'utf8');
  const imports = /^ *(?:from (\w+) import|import (\w+))|"(\w+)\.py"|# noqa: F821 \((\w+)\.py\)/gm;
  const found = [...text.matchAll(imports)]
    .map(([, ...names]) => `${names.join('')}.py`)
    .filter((each) => files.includes(each));
  return found.flatMap((each) => [each, ...importedBy(each)]);
}

const helpers = new Set(files.flatMap(importedBy));
const scripts = files.filter((name) => !helpers.has(name));

test('there are scripts and helpers', () => {
  expect(scripts).toContain('compile_snippets.py');
  expect([...helpers]).toContain('request_files.py');
});

// The keys of actions name these files: one that is missing could change without a new result.
test.each(scripts)('%s consists of itself and what it imports from beside it', (name) => {
  const named = scriptFiles(name as ScriptName).map(({path}) => basename(path));
  expect([...named].sort()).toEqual([...new Set([name, ...importedBy(name)])].sort());
});
