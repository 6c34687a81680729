import {expect, test} from '@jest/globals';
import {createPredictions} from '../../../../src/engine/decisions/predictions.js';
import {digestOf} from '../../../../src/model/digest.js';
import {specOf} from '../parts.js';

const spec = specOf('cc:a', {
  outputs: [
    {name: 'a.o', path: '/build/a.o'},
    {name: 'a.d', path: '/build/a.d'},
  ],
});
const object = digestOf('object');
const causes = [{text: 'first build'}];

test('a result of a cache is predicted as it is there', () => {
  const {predict, isPending} = createPredictions();
  const outputs = [
    {name: 'a.o', digest: object, size: 30, executable: false},
    {name: 'a.d', digest: digestOf('list'), size: 4, executable: false},
  ];
  const found = {record: {keyRecord: '{}', outputs}, origin: 'remote' as const};
  expect(predict(spec, {kind: 'found', causes, found})).toEqual({
    outcome: 'remote',
    outputs: {'a.o': object, 'a.d': digestOf('list')},
    bytes: 34,
  });
  expect(isPending(object)).toBe(false);
});

test('what only an execution would tell is pending', () => {
  const {predict, isPending} = createPredictions();
  const done = predict(spec, {kind: 'execute', causes, expected: {'a.o': {digest: object, stamp: null}}});
  expect(done).toMatchObject({outcome: 'executed', bytes: undefined, outputs: {'a.o': object}});
  const unknown = done.outputs['a.d'] ?? object;
  expect([isPending(object), isPending(unknown)]).toEqual([false, true]);
});

test('two unknown outputs are never equal', () => {
  const {predict} = createPredictions();
  const digests = [spec, {...spec, id: 'cc:b' as const}].flatMap((each) =>
    Object.values(predict(each, {kind: 'execute', causes}).outputs),
  );
  expect(new Set(digests).size).toBe(4);
});
