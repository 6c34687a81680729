import {describe, expect, test} from '@jest/globals';
import {plainReporter} from '../../../../src/report/console/plain.js';
import {colourStyle, plainStyle} from '../../../../src/report/console/style.js';
import {capture, FAILURE, play, REBUILD, summary, type Recorded} from '../rig.js';

function told(events: readonly Recorded[], options: {verbose?: boolean; dryRun?: boolean} = {}) {
  const [log, errors, products] = [capture(), capture(), capture()];
  const reporter = plainReporter(
    {log, errors, products},
    {verbose: false, dryRun: false, style: plainStyle, errorStyle: plainStyle, ...options},
  );
  play(reporter, events);
  reporter.product({text: 'asked for', record: {type: 'x'}});
  reporter.close();
  expect(products.text()).toBe('asked for\n');
  return {log: log.text().split('\n'), errors: errors.text().split('\n')};
}

describe('the plain log', () => {
  test('has one line for each executed action, with the block of its tool below it', () => {
    expect(told(REBUILD)).toEqual({
      log: [
        'building CPython ...',
        'generate:os  os.py changed (12 ms)',
        'cc:json  flags changed (0.3 s)',
        '  cc:json | json.c:1: warning',
        'cc:os  output of generate:os changed (1.5 s)',
        '  cc:os | os.c:1: warning: first',
        '  cc:os | os.c:2: warning: second',
        '  cc:os | os.c:3: warning: third',
        'a thing worth knowing',
        '3.13.15, 3 modules: 3 actions executed, 1 cached, 1 fresh, 0.8 s -> /out/python',
        '',
      ],
      errors: ['flashfreeze: warning: the cache is full', 'hint: run flashfreeze cache gc', ''],
    });
  });

  test('reports all actions when it is verbose, and passes on tool output at once', () => {
    expect(told(REBUILD, {verbose: true}).log).toEqual([
      'building CPython ...',
      'stage1:python  fresh: nothing changed (2 ms)',
      'generate:os  os.py changed (12 ms)',
      'cc:re  cached: first build (1 ms)',
      '  cc:os | os.c:1: warning: first',
      '  cc:os | os.c:2: warning: second',
      '  cc:json | json.c:1: warning',
      '  cc:os | os.c:3: warning: third',
      'cc:json  flags changed (0.3 s)',
      'cc:os  output of generate:os changed (1.5 s)',
      'a thing worth knowing',
      '3.13.15, 3 modules: 3 actions executed, 1 cached, 1 fresh, 0.8 s -> /out/python',
      '',
    ]);
  });

  test('announces the long steps, and hides their output', () => {
    const events: Recorded[] = [
      {type: 'action-started', id: 'configure:python', step: 'configure', reason: 'first build'},
      {type: 'tool-output', id: 'configure:python', text: 'checking for gcc... gcc'},
      {type: 'tool-output', id: 'link:python', text: 'late'},
      {type: 'tool-output', id: 'stage1:python', text: 'gcc -c a.c\ngcc -c b.c'},
    ];
    expect(told(events).log).toEqual(['configure:python  first build ...', '']);
  });

  test('reports the duration of a long phase', () => {
    const events: Recorded[] = [
      {type: 'phase-started', phase: 'building CPython'},
      {type: 'phase-finished', phase: 'building CPython', ms: 95_234},
    ];
    expect(told(events).log).toEqual(['building CPython ...', 'building CPython: done in 95.2 s', '']);
  });
});

describe('a failure', () => {
  test('is reported once, though both the action and the run have it', () => {
    expect(told(FAILURE)).toEqual({
      log: ['cc:os  failed (40 ms)', '  cc:os | os.c:1: error: no', ''],
      errors: [
        'flashfreeze: error[CC]: the C compiler failed to compile os.c',
        '  os.c:1: error: no',
        '  os.c:2: error: never',
        'hint: ask it nicely',
        '',
      ],
    });
  });

  test('is reported again by the next build of a watch', () => {
    const failure = {code: 'COMPILE', message: 'a.py does not compile'} as const;
    const build: Recorded[] = [
      {type: 'command-started', command: 'watch'},
      {type: 'action-failed', id: 'compile:a', step: 'compile', failure, ms: 1},
      {type: 'error', failure},
    ];
    const sentence = 'flashfreeze: error[COMPILE]: a.py does not compile';
    expect(told([...build, ...build]).errors).toEqual([sentence, sentence, '']);
  });

  test('of every action is reported, not only that of the run', () => {
    const failure = (name: string) => ({code: 'CC', message: `${name} is bad`}) as const;
    const events: Recorded[] = [
      {type: 'action-failed', id: 'cc:a', step: 'cc', failure: failure('a'), ms: 1},
      {type: 'action-failed', id: 'cc:b', step: 'cc', failure: failure('b'), ms: 1},
      {type: 'error', failure: failure('a')},
    ];
    expect(told(events).errors).toEqual([
      'flashfreeze: error[CC]: a is bad',
      'flashfreeze: error[CC]: b is bad',
      '',
    ]);
  });

  test('does not include interrupted actions, nor their output', () => {
    const events: Recorded[] = [
      {type: 'tool-output', id: 'cc:a', text: 'half a line'},
      {
        type: 'action-failed',
        id: 'cc:a',
        step: 'cc',
        failure: {code: 'INTERRUPTED', message: 'cc:a was interrupted'},
        ms: 1,
      },
      {type: 'error', failure: {code: 'INTERRUPTED', message: 'build was interrupted by SIGINT'}},
    ];
    expect(told(events)).toEqual({
      log: [''],
      errors: ['flashfreeze: error[INTERRUPTED]: build was interrupted by SIGINT', ''],
    });
  });
});

describe('the summary', () => {
  const actions = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};
  const last = (fields: Parameters<typeof summary>[0], options = {}) =>
    told([summary(fields)], options).log.slice(0, -1);

  test('reports that there was nothing to do', () => {
    const fields = {python: '3.11.2', modules: 1, wallMs: 61, actions: {...actions, fresh: 537}};
    expect(last(fields)).toEqual(['3.11.2, 1 module: nothing to do (537 fresh), 61 ms']);
  });

  test('says what would be done', () => {
    const fields = {actions: {...actions, executed: 1, remote: 2}, wallMs: 200_000};
    expect(last(fields, {dryRun: true})).toEqual([
      'dry run: build: 1 action to execute, 2 from the remote cache, 3 min 20 s',
    ]);
  });

  test('is empty for a run without actions, or one that failed', () => {
    expect(last({})).toEqual([]);
    expect(last({ok: false, actions: {...actions, executed: 3}})).toEqual([]);
  });
});

test('the log and the errors have their own styles', () => {
  const [log, errors] = [capture(), capture()];
  const reporter = plainReporter(
    {log, errors, products: undefined},
    {verbose: false, dryRun: false, style: plainStyle, errorStyle: colourStyle},
  );
  play(reporter, FAILURE);
  reporter.product({text: 'goes elsewhere'});
  expect(log.text()).toBe('cc:os  failed (40 ms)\n  cc:os | os.c:1: error: no\n');
  expect(errors.text()).toContain('flashfreeze: \u001b[31merror[CC]\u001b[39m: the C compiler');
});
