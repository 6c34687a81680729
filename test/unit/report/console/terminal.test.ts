import {describe, expect, test} from '@jest/globals';
import {plainStyle} from '../../../../src/report/console/style.js';
import {terminalReporter, type Clock} from '../../../../src/report/console/terminal.js';
import {BEGIN, capture, FAILURE, play, REBUILD, summary, type Recorded} from '../rig.js';

/** A clock that stands still until it is turned. */
function fakeClock() {
  let now = BEGIN;
  const timers = new Set<{readonly at: number; readonly act: () => void}>();
  const clock: Clock = {
    now: () => now,
    after(ms, act) {
      const timer = {at: now + ms, act};
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const advance = (ms: number): void => {
    const end = now + ms;
    for (;;) {
      const [next] = [...timers].filter(({at}) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      timers.delete(next);
      now = Math.max(now, next.at);
      next.act();
    }
    now = end;
  };
  return {clock, advance, pending: () => timers.size};
}

function shown(events: readonly Recorded[], {columns = 80, verbose = false} = {}) {
  const time = fakeClock();
  const screen = capture({columns});
  const options = {verbose, dryRun: false, style: plainStyle, errorStyle: plainStyle};
  const reporter = terminalReporter({log: screen, errors: screen, products: screen}, options, time.clock);
  play(reporter, events, time.advance);
  return {reporter, screen, time};
}

const ERASE = '\r\u001b[2K';
/** What a terminal shows in the end: what was erased is gone. */
const visible = (text: string) => text.split('\n').map((line) => line.split(ERASE).at(-1));
/** Every live line that was drawn. */
const drawn = (text: string) => text.split(ERASE).length - 1;

describe('the terminal', () => {
  test('keeps the important lines, and clears the live line at the end', () => {
    const {reporter, screen} = shown(REBUILD);
    reporter.close();
    expect(visible(screen.text())).toEqual([
      '  cc:json | json.c:1: warning',
      '  cc:os | os.c:1: warning: first',
      '  cc:os | os.c:2: warning: second',
      '  cc:os | os.c:3: warning: third',
      'a thing worth knowing',
      'flashfreeze: warning: the cache is full',
      'hint: run flashfreeze cache gc',
      '3.13.15, 3 modules: 3 actions executed, 1 cached, 1 fresh, 0.8 s -> /out/python',
      '',
    ]);
  });

  test('loses no line of a failure', () => {
    const {reporter, screen} = shown(FAILURE);
    reporter.close();
    expect(visible(screen.text())).toEqual([
      'cc:os  failed (40 ms)',
      '  cc:os | os.c:1: error: no',
      'flashfreeze: error[CC]: the C compiler failed to compile os.c',
      '  os.c:1: error: no',
      '  os.c:2: error: never',
      'hint: ask it nicely',
      '',
    ]);
  });

  test('shows the progress of the run', () => {
    const {screen, time} = shown([
      {type: 'phase-started', phase: 'freezing'},
      {type: 'action-finished', id: 'generate:a', step: 'generate', outcome: 'cached', reason: '', ms: 0},
      {type: 'action-finished', id: 'generate:b', step: 'generate', outcome: 'fresh', reason: '', ms: 0},
      {type: 'action-started', id: 'cc:a', step: 'cc', reason: ''},
      {type: 'action-started', id: 'cc:b', step: 'cc', reason: ''},
    ]);
    time.advance(99);
    expect(visible(screen.text())).toEqual(['freezing  0.1 s  generate 2  cc 0+2']);
    time.advance(1000);
    expect(visible(screen.text())).toEqual(['freezing  1.1 s  generate 2  cc 0+2']);
  });

  test('shows only the last output of a long step', () => {
    const {reporter, screen, time} = shown(
      [
        {type: 'action-started', id: 'stage1:python', step: 'stage1', reason: ''},
        {type: 'tool-output', id: 'stage1:python', text: 'gcc -c a.c\ngcc\t-c b.c'},
      ],
      {columns: 40},
    );
    time.advance(200);
    expect(visible(screen.text())).toEqual(['stage1:python  0.1 s  stage1 0+1  gcc -']);
    reporter.close();
    expect(visible(screen.text())).toEqual(['']);
  });

  test('that does not know its width gets the usual one', () => {
    const {screen} = shown([{type: 'phase-started', phase: 'x'.repeat(200)}], {columns: 0});
    expect(visible(screen.text())).toEqual(['x'.repeat(79)]);
  });

  test('draws at most ten times a second, however much happens', () => {
    const events: Recorded[] = Array.from({length: 1000}, (_, index) => ({
      type: 'action-started',
      id: `cc:m${index}`,
      step: 'cc',
      reason: '',
      wait: 2,
    }));
    const {screen} = shown(events);
    const draws = drawn(screen.text());
    expect(draws).toBeGreaterThanOrEqual(15);
    expect(draws).toBeLessThanOrEqual(20);
  });

  test('leaves no timer and no live line when idle', () => {
    const {screen, time} = shown([
      {type: 'phase-started', phase: 'freezing'},
      {type: 'phase-finished', phase: 'freezing', ms: 1},
      summary(),
    ]);
    time.advance(10_000);
    expect(time.pending()).toBe(0);
    expect(visible(screen.text())).toEqual(['']);
  });

  test("is erased for the command's result", () => {
    const {reporter, screen} = shown([{type: 'phase-started', phase: 'freezing'}]);
    reporter.product({text: 'os', record: {type: 'module'}});
    expect(visible(screen.text())[0]).toBe('os');
  });
});
