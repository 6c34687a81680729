import {expect, jest, test} from '@jest/globals';
import {createExplanations} from '../../../../src/engine/explanations/explanations.js';
import {createRunLog, type RunLog} from '../../../../src/engine/explanations/run-log.js';
import {keyOf} from '../../../../src/engine/keys.js';
import {readLastRun} from '../../../../src/engine/records/last-run.js';
import type {Artifact} from '../../../../src/model/action.js';
import {digestOf} from '../../../../src/model/digest.js';
import {holdTime} from '../../../support/fake-time.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {MemoryJournal, specOf} from '../parts.js';

const BEGAN = new Date('2026-01-02T03:04:05.000Z');
const folder = temporaryDirectory();

function logWith(...ids: readonly `cc:${string}`[]): RunLog {
  const explanations = createExplanations(BEGAN.toISOString(), new MemoryJournal());
  for (const id of ids) explanations.add(id, [{text: 'first build'}]);
  return createRunLog(BEGAN, explanations);
}
const input = (name: string, producer?: Artifact['producer']): Artifact => {
  const artifact = {name, path: `/build/${name}`, digest: digestOf(name)};
  return producer === undefined ? artifact : {...artifact, producer};
};

test('actions that were up to date are listed, others with time, reason and what they read', async () => {
  holdTime('Date');
  const log = logWith('cc:b');
  const [fresh, done] = [
    specOf('cc:a'),
    specOf('cc:b', {
      inputs: [
        input('b.c', 'generate:b'),
        input('b.h', 'generate:b'),
        input('own.h'),
        input('i', 'index:python'),
      ],
    }),
  ];
  jest.setSystemTime(BEGAN.getTime() + 1500.4);
  log.add(fresh, keyOf(fresh), 'fresh', 3);
  expect(log.hasWork()).toBe(false);
  log.add(done, keyOf(done), 'failed', 12.345);
  expect(log.hasWork()).toBe(true);
  await log.save(folder);
  expect(await readLastRun(folder)).toMatchObject({
    run: BEGAN.toISOString(),
    ms: 1500,
    fresh: ['cc:a'],
    done: [
      {
        id: 'cc:b',
        ms: 12.3,
        needs: ['generate:b', 'index:python'],
        account: {outcome: 'failed', causes: [{text: 'first build'}]},
      },
    ],
  });
});

test('a directory that cannot be written costs the log, and nothing else', async () => {
  const log = logWith();
  await log.save('/proc/nowhere');
  expect(await readLastRun('/proc/nowhere')).toBeUndefined();
});
