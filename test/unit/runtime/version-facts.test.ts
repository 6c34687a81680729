/** What the runtime knows of CPython's versions stands in the layout files, and nowhere else. */
import {readdirSync, readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {codeOf, LAYOUTS, runtimeFiles} from './c-source.js';

const read = (name: string): string => readFileSync(join(LAYOUTS, name), 'utf8');
const common = read('common.h');
const page = readFileSync(join(import.meta.dirname, '../../../docs/new-cpython.md'), 'utf8');
const layouts = readdirSync(LAYOUTS).filter((name) => name.startsWith('python'));
const runtime = [...runtimeFiles('.c'), ...runtimeFiles('.h')];

/** The facts that a layout states for the runtime: name and value. */
function statedFacts(layout: string): readonly (readonly [string, string])[] {
  const [, section = ''] = /\/\* ---- read by the runtime[^]*?\n([^]*?)\n\n/.exec(read(layout)) ?? [];
  const facts = [...section.matchAll(/^#define (FF_\w+) +(.*?) *\/\*/gm)];
  expect(facts).toHaveLength(section.split('\n').length); // each with its reason
  return facts.map(([, name = '', value = '']) => [name, value] as const);
}

const minorOf = (layout: string): number => Number(/^python3\.(\d+)/.exec(layout)?.[1]);

const facts = [...new Set(layouts.flatMap((layout) => statedFacts(layout).map(([name]) => name)))].sort();
/** What these stand for in the end. */
const DERIVED: Readonly<Record<string, string>> = {
  FF_RE_MODULES: 'FF_REPLACES_RE_COMPILE',
  FF_UNHANDLED_INTERRUPT: 'FF_NOTES_INTERRUPTS',
};

test.each(runtime)('%s asks for no version', (_name, text) => {
  expect(codeOf(text)).not.toMatch(/\bPY_VERSION_HEX\b|\bPY_RELEASE_|\bPY_(MINOR|MICRO)_VERSION *[<>=]/);
});

describe.each(facts)('%s', (fact) => {
  const mention = new RegExp(`\\b(${fact}|${DERIVED[fact] ?? fact})\\b`);

  test('is used by the runtime', () => {
    expect(runtime.filter(([, text]) => mention.test(codeOf(text)))).not.toEqual([]);
  });

  test('is off where a layout says nothing', () => {
    const name = DERIVED[fact] ?? fact;
    expect(common).toMatch(
      new RegExp(`\\*/\\n#if(?:ndef ${name}|def ${fact})\\n[^]*?#define ${name} 0\\n#endif`),
    );
  });

  test('is on the page about new versions', () => {
    expect(page).toContain(`\`${fact}\``);
  });
});

test('what the runtime tests is a fact, or its own', () => {
  const conditions = runtime
    .flatMap(([, text]) => [...codeOf(text).matchAll(/^# *(?:el)?if(?:n?def)? (.*)$/gm)])
    .flatMap(([, condition = '']) => condition.match(/\bFF_\w+/g) ?? []);
  const known = [...facts, ...Object.values(DERIVED), 'FF_POSITION_INDEPENDENT', 'FF_CODE_FORM'];
  expect(conditions.filter((name) => !known.includes(name))).toEqual([]);
  expect(conditions.length).toBeGreaterThan(10);
});

test('the page about new versions says how long the newest layout is', () => {
  const newest = layouts.reduce((a, b) => (minorOf(a) > minorOf(b) ? a : b));
  const lines = read(newest).split('\n').length - 1;
  expect(page).toContain(`The newest, \`${newest}\`, has ${lines} lines`);
});

/** Files of CPython that the comments of a source file name, without what may stand for any file. */
function citedFiles(text: string): readonly string[] {
  const cited =
    text.match(/\b(?:Include|Lib|Modules|Objects|Parser|Programs|Python|Tools)\/[\w/.-]*\w/g) ?? [];
  return cited.filter((file) => file !== 'Lib/json/decoder.py').map((file) => file.replace(/\.o$/, '.c'));
}

test('the page about new versions names every file of CPython that ours cite', () => {
  const root = join(import.meta.dirname, '../../..');
  const ours = ['src', 'rules']
    .flatMap((folder) =>
      readdirSync(join(root, folder), {recursive: true, encoding: 'utf8'}).map((name) => join(folder, name)),
    )
    .filter((name) => /\.(ts|c|h|py|bzl)$/.test(name));
  const cited = new Set(
    [...ours, 'Makefile.inc'].flatMap((name) => citedFiles(readFileSync(join(root, name), 'utf8'))),
  );
  // A row names a directory once for several files of it, or for all of them.
  const isNamed = (file: string): boolean =>
    [file, `\`${basename(file)}\``, `\`${dirname(file)}/\``].some((name) => page.includes(name));
  expect([...cited].filter((file) => !isNamed(file))).toEqual([]);
  expect(cited.size).toBeGreaterThan(30);
});
