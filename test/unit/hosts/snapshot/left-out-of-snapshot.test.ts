/** Which modules a snapshot cannot hold, and what imports them. */
import {describe, expect, test} from '@jest/globals';
import {parseRecording, type RecordedImports} from '../../../../src/hosts/snapshot/recorded-imports.js';
import {
  findThreads,
  findUnkeepable,
  findUnstable,
  leftOutOfSnapshot,
  parseLocated,
  readsOf,
  withDependents,
} from '../../../../src/hosts/snapshot/unkeepable.js';

const END = '{"end":true}';

function recording(...lines: readonly string[]): RecordedImports {
  const parsed = parseRecording([...lines, END, ''].join('\n'));
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}

function event(kind: string, module: string, detail = '', line = 0): string {
  const file = line === 0 ? '' : `/${module}.py`;
  return JSON.stringify({event: {kind, module, file, line, detail}});
}

function edge(importer: string, imported: string): string {
  return JSON.stringify({edge: [importer, imported]});
}

describe('a recording', () => {
  test('without an end is one of imports that ended the process', () => {
    expect(parseRecording(`${edge('a', 'b')}\n`)).toMatchObject({ok: false, failure: {code: 'SNAPSHOT'}});
    expect(parseRecording('')).toMatchObject({ok: false});
  });

  test.each(['{', '[]', '{"event":{"kind":"weather"}}', '{"edge":["a"]}', '{"read":["mood","a","b"]}'])(
    'with the line %s is invalid',
    (line) => {
      expect(parseRecording(`${line}\n${END}\n`)).toMatchObject({ok: false, failure: {code: 'SNAPSHOT'}});
    },
  );
});

describe('what cannot be kept', () => {
  test('is left out once, with its first reason and the line', () => {
    const recorded = recording(
      event('child', 'a', 'git', 3),
      event('write', 'a', '/log', 4),
      event('lock', 'b', 'kept'),
    );
    expect(findUnkeepable(recorded, false)).toEqual([
      {module: 'a', reason: 'it runs another program (git)', where: '/a.py:3'},
      {module: 'b', reason: 'it leaves a lock held (kept)'},
    ]);
  });

  test('is no clock, no process number and no random number: the proof shows whether they are kept', () => {
    const recorded = recording(
      event('clock', 'a', 'time.time', 1),
      event('process', 'b', 'posix.getpid'),
      event('random', 'c'),
    );
    expect(findUnkeepable(recorded, false)).toEqual([]);
    expect(findUnstable(recorded).map(({module}) => module)).toEqual(['a', 'b', 'c']);
  });

  test('is no clock of a module that is renewed', () => {
    expect(findUnstable(recording(event('clock', 'logging', 'time.time_ns', 59)))).toEqual([]);
  });

  test('is the name of the program, unless the executable has one', () => {
    const recorded = recording('{"read":["fact","a","program"]}', '{"read":["fact","b","cwd"]}');
    expect(findUnkeepable(recorded, false)).toEqual([
      {module: 'a', reason: 'it reads the name of the program'},
    ]);
    expect(findUnkeepable(recorded, true)).toEqual([]);
  });

  test('is what ctypes loads, but not ctypes', () => {
    expect(findUnkeepable(recording(edge('ctypes', '_ctypes')), false)).toEqual([]);
    expect(findUnkeepable(recording(event('library', 'a', 'libanl.so.1', 2)), false)).toEqual([
      {module: 'a', reason: 'it loads a shared library (libanl.so.1)', where: '/a.py:2'},
    ]);
  });

  test('is no thread of a library at first', () => {
    const recorded = recording(event('library thread', 'a', '', 0), event('thread', 'b', '', 2));
    expect(findUnkeepable(recorded, false).map(({module}) => module)).toEqual(['b']);
    expect(findThreads(recorded)).toEqual([
      {module: 'a', reason: 'its library starts a thread that goes on'},
    ]);
  });
});

describe('what imports it', () => {
  const left = [{module: 'p.bad', reason: ''}];
  const without = (...edges: readonly string[]): readonly string[] =>
    [...withDependents(left, recording(...edges), ['p', 'p.bad', 'p.good', 'q', 'r'])].sort();

  test('is left out, too, also through others', () => {
    expect(without(edge('q', 'p.bad'), edge('r', 'q'))).toEqual(['p.bad', 'q', 'r']);
  });

  test('is not the package of a submodule, unless it imports that', () => {
    expect(without(edge('q', 'p.good'))).toEqual(['p.bad']);
    expect(without(edge('p', 'p.bad'))).toEqual(['p', 'p.bad', 'p.good']);
  });

  test('is each submodule of a package that is left out, and what imports one of them', () => {
    expect(without(edge('p', 'p.bad'), edge('q', 'p.good'))).toEqual(['p', 'p.bad', 'p.good', 'q']);
  });

  test('may be circular', () => {
    expect(without(edge('q', 'p.bad'), edge('q', 'r'), edge('r', 'q'))).toEqual(['p.bad', 'q', 'r']);
  });
});

describe('an object that differs', () => {
  const text =
    'located 16 user now int\nlocated 16 maker now int\nnoise\nlocated 32 other C with blank datetime\n';

  test('belongs to the module that the others have it from', () => {
    const recorded = recording(edge('user', 'maker'), event('clock', 'maker', 'time.time', 2));
    expect(parseLocated(text, recorded)).toEqual([
      {
        module: 'maker',
        reason: 'it reads a clock (time.time): now has another value in each process (int)',
        where: '/maker.py:2',
      },
      {module: 'other', reason: 'C with blank has another value in each process (datetime)'},
    ]);
  });

  test('belongs to each of several that do not import each other', () => {
    expect(parseLocated(text, recording()).map(({module}) => module)).toEqual(['user', 'maker', 'other']);
    expect(parseLocated('', recording())).toEqual([]);
  });

  test('of a shared library belongs to the library', () => {
    const line = 'located 7 number a variable of the library C';
    expect(parseLocated(line, recording(event('process', 'number', 'posix.getpid', 3)))).toEqual([
      {
        module: 'number',
        reason: 'a variable of the library has another value in each process (C)',
        isLibrary: true,
      },
    ]);
  });
});

test('a start is compared with what modules read that are kept, but for what is renewed', () => {
  const recorded = recording(
    ...['variable', 'file'].map((kind) => JSON.stringify({read: [kind, 'a', kind]})),
    '{"read":["fact","out","cwd"]}',
    '{"read":["fact","multiprocessing.process","cwd"]}',
    '{"read":["variable","multiprocessing.process","X"]}',
  );
  expect(readsOf(recorded, new Set(['out'])).map(({name}) => name)).toEqual(['variable', 'file', 'X']);
});

describe('the warning', () => {
  test('names modules, reasons, what imports them, and the time', () => {
    const recorded = recording('{"time":["a",3.4]}', '{"time":["b",2.3]}', '{"time":["kept",100]}');
    const warning = leftOutOfSnapshot(
      [{module: 'a', reason: 'why', where: '/a.py:1'}],
      new Set(['a', 'b']),
      recorded,
    );
    expect(warning).toMatchObject({
      type: 'warning',
      message: expect.stringMatching(/^2 modules are left out .*\(6 ms /),
      details: 'a (/a.py:1): why\nand what imports them: b',
    });
    expect(leftOutOfSnapshot([], new Set(), recorded)).toBeUndefined();
  });

  test('says when so much is left out that a start may be slower', () => {
    const recorded = recording('{"time":["a",6]}', '{"time":["b",4]}');
    const of = (module: string): ReturnType<typeof leftOutOfSnapshot> =>
      leftOutOfSnapshot([{module, reason: 'why'}], new Set([module]), recorded);
    const details = expect.stringMatching(
      /^a: why\nThat is 60 % of the time .* may be slower than without a snapshot/,
    );
    expect(of('a')).toMatchObject({details});
    expect(of('b')).toMatchObject({details: 'b: why'});
  });

  test('has a limit', () => {
    const left = Array.from({length: 30}, (_, i) => ({module: `m${i}`, reason: 'why'}));
    const warning = leftOutOfSnapshot(left, new Set(left.map(({module}) => module)), recording());
    expect(JSON.stringify(warning)).toContain('and 10 more');
  });
});
