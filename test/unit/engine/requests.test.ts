import {expect, test} from '@jest/globals';
import {keyOf} from '../../../src/engine/keys.js';
import {createRequests} from '../../../src/engine/requests.js';
import type {ActionResult} from '../../../src/model/action.js';
import type {ActionSpec} from '../../../src/model/action-spec.js';
import {digestOf} from '../../../src/model/digest.js';
import {ok, type Result} from '../../../src/model/result.js';
import {specOf} from './parts.js';

const resultOf = ({id}: ActionSpec): Result<ActionResult> => ok({id, outcome: 'executed', outputs: {}});

test('the same action is run once, also while it still runs', async () => {
  const requests = createRequests();
  let runs = 0;
  let finish = (): void => undefined;
  const spec = specOf('cc:a');
  const ask = (asked: ActionSpec): Promise<Result<ActionResult>> =>
    requests.share(asked, keyOf(asked), async () => {
      runs += 1;
      await new Promise<void>((done) => (finish = done));
      return resultOf(asked);
    });
  const both = [ask(spec), ask({...spec})];
  finish();
  const [first, second] = await Promise.all(both);
  expect(second).toBe(first);
  expect(runs).toBe(1);
  expect(requests.specs()).toEqual([spec]);
});

test('a second declaration under the same id fails, and says what differs', async () => {
  const requests = createRequests();
  const spec = specOf('cc:a', {arguments: {level: 1}, tools: [{name: 'gcc', digest: digestOf('1')}]});
  const other = {...spec, arguments: {level: 2}, tools: [{name: 'gcc', digest: digestOf('2')}]};
  await requests.share(spec, keyOf(spec), () => Promise.resolve(resultOf(spec)));
  const refused = await requests.share(other, keyOf(other), () => {
    throw new Error('must not run');
  });
  expect(refused).toMatchObject({
    ok: false,
    failure: {
      code: 'ACTION',
      message: 'cc:a was requested twice in one build, with different declarations',
      details: 'tool gcc changed\narguments changed: level',
    },
  });
  expect(requests.specs()).toEqual([spec]);
});

test('a path belongs to the first action that writes it', () => {
  const requests = createRequests();
  const writer = (id: 'cc:a' | 'cc:b', ...paths: string[]): ActionSpec =>
    specOf(id, {outputs: paths.map((path, i) => ({name: `out${i}`, path}))});
  expect(requests.claimOutputs(writer('cc:a', '/build/a', '/build/shared'))).toBeUndefined();
  expect(requests.claimOutputs(writer('cc:b', '/build/b', '/build/shared'))).toMatchObject({
    code: 'ACTION',
    message: 'cc:b and cc:a both write /build/shared',
  });
});
