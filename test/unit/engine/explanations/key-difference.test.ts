import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {explainDifference} from '../../../../src/engine/explanations/key-difference.js';
import {keyOf, type ActionKey} from '../../../../src/engine/keys.js';
import type {ActionSpec} from '../../../../src/model/action-spec.js';
import {digestOf} from '../../../../src/model/digest.js';
import {canonicalJson, type Json} from '../../../../src/model/canonical-json.js';
import {ok} from '../../../../src/model/result.js';

const file = (name: string, content: string, path = `/p/${name}`): ActionSpec['inputs'][number] => ({
  name,
  path,
  digest: digestOf(content),
});

const base: ActionSpec = {
  id: 'cc:json.decoder',
  tools: [{name: 'cc', digest: digestOf('gcc')}],
  arguments: {optimization: 2, flags: {pic: true, debug: false}, list: [1, 2]},
  environment: {CC: 'gcc'},
  inputs: [file('Lib/json/decoder.py', '1'), file('h.h', '2')],
  outputs: [{name: 'decoder.o', path: '/b/decoder.o'}],
  storage: 'shared',
  execute: () => Promise.resolve(ok()),
};

const declared = (extra: Partial<ActionSpec>): ActionKey => keyOf({...base, ...extra});
const texts = (...records: Parameters<typeof explainDifference>): string[] =>
  explainDifference(...records).map(({text}) => text);
const explain = (extra: Partial<ActionSpec>): string[] => texts(declared({}), declared(extra));

describe('explainDifference', () => {
  test.each<[string, Partial<ActionSpec>, string[]]>([
    ['nothing', {}, []],
    [
      'an input',
      {inputs: [file('Lib/json/decoder.py', 'x'), file('h.h', '2')]},
      ['input Lib/json/decoder.py changed'],
    ],
    [
      'inputs that come and go',
      {inputs: [file('new.h', '3'), file('h.h', '2')]},
      ['input Lib/json/decoder.py is gone', 'input new.h is new'],
    ],
    ['a tool', {tools: [{name: 'cc', digest: digestOf('clang')}]}, ['tool cc changed']],
    [
      'an argument',
      {arguments: {...(base.arguments as object), optimization: 3}},
      ['arguments changed: optimization'],
    ],
    [
      'inner arguments',
      {arguments: {optimization: 2, flags: {pic: false, lto: 1, debug: false}, list: [2, 1]}},
      ['arguments changed: flags.lto, flags.pic, list'],
    ],
    ['arguments of another form', {arguments: [1]}, ['arguments changed']],
    ['actions that made inputs', {inputs: []}, ['input Lib/json/decoder.py is gone', 'input h.h is gone']],
    ['the environment', {environment: {CC: 'clang', TZ: 'UTC'}}, ['environment changed: CC, TZ']],
    [
      'an output',
      {outputs: [{name: 'decoder.o', path: '/', executable: true}]},
      ['output decoder.o changed'],
    ],
    ['several things', {tools: [], environment: {}}, ['tool cc is gone', 'environment changed: CC']],
  ])('names %s', (_, extra, reasons) => {
    expect(explain(extra)).toEqual(reasons);
  });

  test('knows a record of another version', () => {
    const {text} = declared({});
    expect(texts({text: text.replace('"schema":1', '"schema":0')}, {text})).toEqual([
      'made by another version of flashfreeze',
    ]);
  });

  test('is empty exactly for equal records', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    const digest = fc.constantFrom('x', 'y').map((text) => digestOf(text));
    const json: fc.Arbitrary<Json> = fc.oneof(
      fc.constantFrom<Json>(null, 1, 'a', [], [1], {}),
      fc.dictionary(
        names,
        fc.oneof(fc.constantFrom<Json>(null, 1, {}), fc.dictionary(names, fc.integer({min: 0, max: 2}))),
        {maxKeys: 2},
      ),
    );
    const files = fc.array(fc.record({name: names, path: fc.constant('/'), digest}), {maxLength: 3});
    const spec = fc.record({
      id: fc.constantFrom<ActionSpec['id']>('cc:a', 'cc:b'),
      tools: fc.array(fc.record({name: names, digest}), {maxLength: 2}),
      arguments: json,
      environment: fc.dictionary(names, names, {maxKeys: 2}),
      inputs: files,
      outputs: fc.uniqueArray(fc.record({name: names, path: fc.constant('/'), executable: fc.boolean()}), {
        selector: ({name}) => name,
        maxLength: 2,
      }),
    });
    fc.assert(
      fc.property(spec, spec, (one, two) => {
        const [before, now] = [declared(one), declared(two)];
        expect([before, now].map(({text}) => canonicalJson(JSON.parse(text) as Json))).toEqual([
          before.text,
          now.text,
        ]);
        const equal = before.text === now.text;
        expect(explainDifference(before, now).length === 0).toBe(equal);
        // A journal of an earlier version does not know who made the inputs.
        expect(explainDifference({text: before.text}, now).length === 0).toBe(equal);
      }),
      {numRuns: 2000},
    );
  });
});

describe('a key', () => {
  test('does not depend on order or place', () => {
    const {key} = keyOf(base);
    const moved = base.inputs.map((input) => ({...input, path: `/elsewhere/${input.name}`}));
    expect(
      keyOf({...base, inputs: moved.reverse(), outputs: [{name: 'decoder.o', path: '/x', executable: false}]})
        .key,
    ).toBe(key);
  });

  test('holds neither a path nor a time of this machine', () => {
    expect(keyOf(base).text).not.toMatch(/\/p\/|\/b\//);
    expect(JSON.parse(keyOf(base).text)).toEqual({
      schema: 1,
      step: 'cc',
      target: 'json.decoder',
      tools: base.tools,
      arguments: base.arguments,
      environment: base.environment,
      inputs: [
        {name: 'Lib/json/decoder.py', digest: digestOf('1')},
        {name: 'h.h', digest: digestOf('2')},
      ],
      outputs: [{name: 'decoder.o', executable: false}],
    });
  });
});

describe('inputs that actions made', () => {
  const object = (module: string, content: string): ActionSpec['inputs'][number] => ({
    ...file('o', content, `/b/${module}.o`),
    producer: `cc:${module}`,
  });
  const linking = (...inputs: ActionSpec['inputs']): ActionKey =>
    declared({id: 'link:python', arguments: null, inputs});
  const before = linking(object('a', '1'), object('b', '2'), object('c', '2'));

  test('have the name of the action, and refer to it', () => {
    const now = linking(object('d', '1'), object('c', '2'), object('b', '3'));
    expect(explainDifference(before, now)).toEqual([
      {text: 'input cc:a is gone'},
      {text: 'input cc:b changed', producer: 'cc:b'},
      {text: 'input cc:d is new', producer: 'cc:d'},
    ]);
  });

  test('do not exist yet in a dry run', () => {
    const now = linking(object('a', 'x'), object('b', '?'), object('c', '2'));
    const isPending = (digest: string): boolean => digest === digestOf('?');
    expect(texts(before, now, isPending)).toEqual(['input cc:a changed', 'input cc:b may change']);
  });

  test('have no influence on the key', () => {
    const made = keyOf({...base, inputs: base.inputs.map((input) => ({...input, producer: 'cc:x'}))});
    expect(made.key).toBe(keyOf(base).key);
    expect(made.producers).toEqual(['cc:x', 'cc:x']);
  });
});

describe('the words of a list of arguments', () => {
  const words = (was: readonly Json[], is: readonly Json[]): string[] =>
    texts(declared({arguments: was}), declared({arguments: is}));

  test.each<[readonly Json[], readonly Json[], string]>([
    [['-O0', '-g'], ['-O2', '-g'], 'arguments changed: -O2 is new, -O0 is gone'],
    [['-a', '-b'], ['-b', '-a'], 'arguments changed: in their order or number'],
    [[], ['1', '2', '3', '4', '5', '6', '7'].map((n) => `-${n}`), '-5 is new and 2 more'],
    [[{}], ['-a'], 'arguments changed'],
  ])('%j -> %j', (was, is, expected) => {
    expect(words(was, is)).toEqual([expect.stringContaining(expected)]);
  });
});
