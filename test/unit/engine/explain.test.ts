import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {explainDifference, summarise} from '../../../src/engine/explain.js';
import {keyOf, type KeyRecord} from '../../../src/engine/keys.js';
import type {ActionSpec} from '../../../src/model/action.js';
import {digestOf} from '../../../src/model/digest.js';
import {canonicalJson, type Json} from '../../../src/model/json.js';
import {ok} from '../../../src/model/result.js';

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

const recordOf = (extra: Partial<ActionSpec>): KeyRecord => keyOf({...base, ...extra}).record;
const explain = (extra: Partial<ActionSpec>): string[] => explainDifference(recordOf({}), recordOf(extra));

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
    expect(explainDifference({...recordOf({}), schema: 0}, recordOf({}))).toEqual([
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
        const [before, now] = [recordOf(one), recordOf(two)];
        expect(explainDifference(before, now).length === 0).toBe(
          canonicalJson(before) === canonicalJson(now),
        );
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

test('several reasons become one line', () => {
  expect([summarise(['a']), summarise(['a', 'b', 'c'])]).toEqual(['a', 'a (and 2 more)']);
});
