import {execFileSync} from 'node:child_process';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {compareEntries, explainBytes} from '../../../../src/release/reproduction/compare.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let root = '';
beforeAll(() => {
  root = temporaryDirectory('compare');
});

/** An object file, as the compiler makes it. */
function object(name: string, source: string, flags: readonly string[] = []): Buffer {
  const [c, o] = [join(root, `${name}.c`), join(root, `${name}.o`)];
  writeFileSync(c, source);
  execFileSync('cc', ['-g0', '-O1', ...flags, '-c', c, '-o', o]);
  return readFileSync(o);
}

/** A static archive of what `object` made. */
function archive(names: readonly string[]): Buffer {
  const path = join(root, 'lib.a');
  rmSync(path, {force: true});
  execFileSync('ar', ['rcsD', path, ...names.map((name) => join(root, `${name}.o`))]);
  return readFileSync(path);
}

const STAMP = 'const char *stamp(void) { return WHEN; }\n';

describe('a difference', () => {
  test('of a date that was compiled in is in the section that holds it, with its text', () => {
    const first = object('stamp', STAMP, ['-DWHEN="Jan  1 1980, 00:00:00"']);
    const second = object('stamp', STAMP, ['-DWHEN="Nov 23 2026, 21:30:00"']);
    const told = explainBytes(first, second);
    expect(told).toMatch(/^section \.rodata/);
    expect(told).toContain('Jan  1 1980');
    expect(told).toContain('Nov 23 2026');
  });

  test('of a changed flag is in the code', () => {
    const source = 'int f(int x) { int y = 0; while (x--) y += x * x; return y; }\n';
    expect(explainBytes(object('f', source), object('f', source, ['-O0']))).toMatch(/section (.*, )?\.text/);
  });

  test('in a static archive is in the member, and no other is named', () => {
    object('same_with_a_long_name', 'int g(void) { return 1; }\n');
    object('stamp', STAMP, ['-DWHEN="first"']);
    const first = archive(['same_with_a_long_name', 'stamp']);
    object('stamp', STAMP, ['-DWHEN="later"']);
    const told = explainBytes(first, archive(['same_with_a_long_name', 'stamp']));
    expect(told).toMatch(/^member stamp\.o \(section \.rodata/);
    expect(told).not.toContain('same_with');
  });

  test('of a longer source is the first additional line', () => {
    expect(explainBytes(Buffer.from('a = 1\n'), Buffer.from('a = 1\n\nb = 2\n'))).toBe(
      'line 3: nothing became "b = 2"',
    );
  });

  test('of a changed source is its line', () => {
    const told = explainBytes(Buffer.from('a = 1\nb = 2\n'), Buffer.from('a = 1\nb = 3\n'));
    expect(told).toBe('line 2: "b = 2" became "b = 3"');
  });
});

describe('two installations', () => {
  const file = (path: string, text: string, mode = 0o644) => ({path, mode, content: Buffer.from(text)});

  test('that are equal have no difference', () => {
    const entries = [file('a', 'x'), {path: 'l', mode: 0o777, content: {link: 'a'}}];
    expect(compareEntries(entries, [...entries].reverse())).toEqual([]);
  });

  test('differ in files, modes, links and additional files', () => {
    const first = [
      file('a', 'x'),
      file('b', 'x'),
      {path: 'l', mode: 0o777, content: {link: 'a'}},
      file('old', ''),
    ];
    const second = [file('a', 'y'), file('b', 'x', 0o755), {path: 'l', mode: 0o777, content: {link: 'b'}}];
    expect(compareEntries(first, second)).toEqual([
      {path: 'a', what: 'line 1: "x" became "y"'},
      {path: 'b', what: 'mode 644 became 755'},
      {path: 'l', what: 'a link to a became a link to b'},
      {path: 'old', what: 'only in the first'},
    ]);
  });
});
