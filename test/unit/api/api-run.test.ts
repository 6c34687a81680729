import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import {build, overlay, relink, type Event} from '../../../src/api/api.js';
import {runCall} from '../../../src/api/api-run.js';
import {ok} from '../../../src/model/result.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

let folder: string;
beforeAll(() => {
  folder = temporaryDirectory();
});

const settings = (): {cwd: string; environment: Record<string, string>; cacheDir: string} => ({
  cwd: folder,
  environment: {},
  cacheDir: join(folder, 'cache'),
});

test('a run that fails reports the reason in its events and in its result', async () => {
  const events: Event[] = [];
  const onEvent = (event: Event): void => void events.push(event);
  const failed = await relink({...settings(), python: './no-python', out: 'out', onEvent});
  expect(failed).toMatchObject({ok: false, failure: {code: 'PYTHON'}});
  expect(events.map(({type}) => type)).toEqual(['command-started', 'error', 'summary']);
  expect(events.at(-1)).toMatchObject({type: 'summary', ok: false, command: 'relink', output: null});
  expect(events.every(({time}) => time > 0)).toBe(true);
  expect(await build({...settings(), source: '.', buildDir: 'build'})).toMatchObject({
    ok: false,
    failure: {code: 'SOURCE_TREE'},
  });
});

test('an overlay without modules of its own causes a warning', async () => {
  const warnings: Event[] = [];
  const onEvent = (event: Event): void => {
    if (event.type === 'warning') warnings.push(event);
  };
  await overlay({...settings(), python: './no-python', out: 'out', onEvent});
  expect(warnings).toHaveLength(1);
  await overlay({...settings(), python: './no-python', out: 'out', stdlib: true, onEvent});
  expect(warnings).toHaveLength(1);
});

test('an invalid remote cache is a failure before anything is built', async () => {
  const options = {...settings(), python: './no-python', out: 'out'};
  expect(await relink({...options, remoteUpload: true})).toMatchObject({failure: {code: 'USAGE'}});
  expect(await relink({...options, remoteCache: 'cache'})).toMatchObject({failure: {code: 'CONFIG'}});
});

test('a signal that was aborted before starts nothing', async () => {
  const signal = AbortSignal.abort();
  const options = {...settings(), cacheDir: join(folder, 'unused'), python: 'python3', out: 'out', signal};
  expect(await relink(options)).toEqual({
    ok: false,
    failure: {code: 'INTERRUPTED', message: 'relink was aborted'},
  });
  expect(existsSync(join(folder, 'unused'))).toBe(false);
});

test('a signal that is aborted during the run reaches it, and no listener stays behind', async () => {
  const controller = new AbortController();
  const listeners = new Set<unknown>();
  const signal = {
    get aborted() {
      return controller.signal.aborted;
    },
    addEventListener: (type: 'abort', listener: () => void) => {
      listeners.add(listener);
      controller.signal.addEventListener(type, listener);
    },
    removeEventListener: (type: 'abort', listener: () => void) => {
      listeners.delete(listener);
      controller.signal.removeEventListener(type, listener);
    },
  };
  const result = await runCall('toy', {...settings(), signal}, (context) => {
    expect(listeners.size).toBe(1);
    controller.abort();
    expect(context.signal.aborted).toBe(true);
    const failure = {code: 'PROCESS', message: 'a compiler was killed'} as const;
    return Promise.resolve({result: {ok: false, failure} as const, end: {failure}});
  });
  expect(result).toEqual({ok: false, failure: {code: 'INTERRUPTED', message: 'toy was aborted'}});
  expect(listeners.size).toBe(0);
});

test.each(['command-started', 'notice'])('an exception of the callback at %s ends the run', async (type) => {
  const seen: string[] = [];
  const reached: string[] = [];
  const onEvent = (event: Event): void => {
    seen.push(event.type);
    if (event.type === type) throw new Error('my own error');
  };
  const running = runCall('toy', {...settings(), onEvent}, (context) => {
    reached.push('work');
    context.events.emit({type: 'notice', message: 'here'});
    if (!context.signal.aborted) reached.push('more work');
    return Promise.resolve({result: ok(1), end: {}});
  });
  await expect(running).rejects.toThrow('my own error');
  // It is not called again, not even with the summary.
  expect(seen).toEqual(type === 'notice' ? ['command-started', 'notice'] : ['command-started']);
  expect(reached).toEqual(type === 'notice' ? ['work'] : []);
});

test('an error inside flashfreeze is a failure, not a rejection', async () => {
  const running = runCall('toy', settings(), () => Promise.reject(new Error('oops')));
  expect(await running).toMatchObject({
    ok: false,
    failure: {code: 'BUG', message: 'internal error in toy: oops'},
  });
});
