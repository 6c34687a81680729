import {rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import type {BuildOutcome} from '../../../src/model/outcomes.js';
import type {Repetition} from '../../../src/pipeline/repetition.js';
import type {EventInput} from '../../../src/model/events.js';
import type {Failure} from '../../../src/model/failure.js';
import {type Result, fail, ok} from '../../../src/model/result.js';
import {watchBuilds} from '../../../src/watch/watch-builds.js';
import type {Watcher, WatcherOptions} from '../../../src/watch/watcher.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {FakeClock, turn} from './fake-clock.js';

const OUTCOME: BuildOutcome = {
  ...{python: '3.13.0', modules: 2, output: '/out', stage1: null, sha256: '0', executed: []},
  actions: {executed: 0, cached: 0, remote: 0, fresh: 1, failed: 0},
};
const BROKEN = fail('COMPILE', 'a.py does not compile');

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory('watch');
  write('a.py', '1');
  write('b.py', '1');
});
const at = (name: string): string => join(folder, name);
function write(name: string, text: string): void {
  writeFileSync(at(name), text);
}

/** Watching with a fake clock, a watcher that tells what the test tells it, and builds that do what the test says. */
function rig({polling = false} = {}) {
  const clock = new FakeClock();
  const abort = new AbortController();
  const events: EventInput[] = [];
  const told: {ok: boolean; changes: string[]}[] = [];
  const asked: Repetition[] = [];
  let options: WatcherOptions | undefined;
  let scopes: string[][] = [];
  let closed = false;
  /** What a build does; the last one goes for all further ones. */
  const plans: ((repetition: Repetition) => Promise<Result<BuildOutcome>>)[] = [];
  const watcher: Watcher = {
    watch(scope) {
      scopes = [...scopes, [...scope.sources]];
      return Promise.resolve();
    },
    isPolling: () => polling,
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
  const all = {
    clock,
    events,
    told,
    asked,
    plans,
    scopes: () => scopes,
    isClosed: () => closed,
    stop: () => {
      abort.abort();
    },
    change: (name: string, kind: 'written' | 'removed' = 'written') => options?.onChange(at(name), kind),
    /** A build that reads a.py and b.py. */
    good: (repetition: Repetition): Promise<Result<BuildOutcome>> => {
      repetition.onSources([at('a.py'), at('b.py')]);
      return Promise.resolve(ok(OUTCOME));
    },
    bad: (repetition: Repetition): Promise<Result<BuildOutcome>> => {
      repetition.onSources([at('a.py'), at('b.py')]);
      return Promise.resolve(BROKEN);
    },
    start: (): Promise<Failure> =>
      watchBuilds(
        {
          build(repetition) {
            asked.push(repetition);
            const plan = (plans.length > 1 ? plans.shift() : plans[0]) ?? all.good;
            return plan(repetition);
          },
          onBuild: (outcome, changes) => {
            told.push({ok: outcome.ok, changes: [...changes].map((path) => path.slice(folder.length + 1))});
          },
          outputs: [at('out')],
          poll: false,
          events: {emit: (event) => events.push(event)},
          signal: abort.signal,
        },
        {
          clock,
          createWatcher(given) {
            options = given;
            return watcher;
          },
        },
      ),
  };
  return all;
}

test('builds, watches the frozen sources, builds again, and ends when aborted', async () => {
  const {clock, told, scopes, change, start, stop, isClosed} = rig();
  const over = start();
  await turn();
  expect(scopes()).toEqual([[at('a.py'), at('b.py')]]);
  change('a.py');
  await clock.advance(100);
  expect(told).toEqual([
    {ok: true, changes: []},
    {ok: true, changes: ['a.py']},
  ]);
  stop();
  expect(await over).toMatchObject({code: 'INTERRUPTED'});
  expect(isClosed()).toBe(true);
  change('a.py');
  await clock.advance(60_000);
  expect(told).toHaveLength(2);
});

test('ends if there is nothing to watch', async () => {
  const {plans, start, told} = rig();
  plans.push(() => Promise.resolve(fail('NO_MODULE', 'there is no module x')));
  expect(await start()).toMatchObject({code: 'NO_MODULE'});
  expect(told).toEqual([]);
});

test('a failure, also of the first build, stays one until something changes', async () => {
  const {clock, plans, told, start, stop, good, bad, change} = rig();
  plans.push(bad, good);
  const over = start();
  await clock.advance(3_600_000);
  expect(told).toEqual([{ok: false, changes: []}]);
  change('b.py');
  await clock.advance(100);
  expect(told.at(-1)).toEqual({ok: true, changes: ['b.py']});
  stop();
  await over;
});

test('changes without a notification are found by polling', async () => {
  const {clock, told, start, stop} = rig();
  const over = start();
  await clock.advance(400);
  write('b.py', 'lost');
  await clock.advance(60_000);
  expect(told).toEqual([
    {ok: true, changes: []},
    {ok: true, changes: ['b.py']},
  ]);
  // After a while, one trusts in being told.
  write('b.py', 'lost, too');
  await clock.advance(60_000);
  expect(told).toHaveLength(2);
  stop();
  await over;
});

test('without notifications, polling never ends', async () => {
  const {clock, told, start, stop} = rig({polling: true});
  const over = start();
  await clock.advance(3_600_000);
  expect(told).toHaveLength(1);
  write('b.py', 'lost');
  await clock.advance(1100);
  expect(told.at(-1)).toEqual({ok: true, changes: ['b.py']});
  rmSync(at('a.py'));
  await clock.advance(1100);
  expect(told.at(-1)).toEqual({ok: true, changes: ['a.py']});
  stop();
  await over;
});

test('an edit that a build may have missed is built without a notification', async () => {
  const {clock, plans, told, start, stop, good} = rig();
  plans.push(async (repetition) => {
    const outcome = await good(repetition);
    write('a.py', 'edited while the build was running');
    return outcome;
  }, good);
  const over = start();
  await clock.advance(60_000);
  expect(told.map(({changes}) => changes)).toEqual([[], ['a.py']]);
  stop();
  await over;
});

test('a file that no module is frozen from causes a new discovery, until a build succeeds', async () => {
  const {clock, plans, asked, change, start, stop, good, bad} = rig();
  plans.push(good, bad, good);
  const over = start();
  for (const name of ['new.py', 'a.py', 'a.py']) {
    await clock.advance(100);
    change(name);
  }
  await clock.advance(100);
  expect(asked.map(({discoverAnew}) => discoverAnew !== undefined)).toEqual([false, true, true, false]);
  expect(asked[1]?.discoverAnew).not.toBe(asked[2]?.discoverAnew);
  stop();
  await over;
});

test('waits for a build directory that another run uses, and reports it once', async () => {
  const {clock, plans, events, told, change, start, stop, good} = rig();
  const locked = () => Promise.resolve(fail('LOCKED', 'in use by process 1'));
  plans.push(good, locked, locked, good);
  const over = start();
  await clock.advance(5000);
  change('a.py');
  await clock.advance(3000);
  expect(events).toEqual([{type: 'notice', message: 'waiting: in use by process 1'}]);
  expect(told).toEqual([
    {ok: true, changes: []},
    {ok: true, changes: ['a.py']},
  ]);
  stop();
  await over;
});

test('an interrupted build is not reported', async () => {
  const {plans, told, start, stop, good} = rig();
  plans.push(async (repetition) => {
    await good(repetition);
    stop();
    return fail('INTERRUPTED', 'stopped');
  });
  expect(await start()).toMatchObject({code: 'INTERRUPTED'});
  expect(told).toEqual([]);
});

test('an exception in a build is not swallowed', async () => {
  const {plans, start, isClosed} = rig();
  plans.push(() => Promise.reject(new Error('a bug')));
  await expect(start()).rejects.toThrow('a bug');
  expect(isClosed()).toBe(true);
});
