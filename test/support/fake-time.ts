import {afterEach, jest} from '@jest/globals';

const PARTS = [
  ...['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'requestAnimationFrame'],
  ...['cancelAnimationFrame', 'requestIdleCallback', 'cancelIdleCallback', 'setImmediate', 'clearImmediate'],
  ...['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'],
] as const;
type Part = (typeof PARTS)[number];

/**
 * Lets only these parts of the clock stand still until the test ends, for what is decided by time: the test sets the time, and
 * how fast the machine is decides nothing.
 */
export function holdTime(...parts: readonly Part[]): void {
  jest.useFakeTimers({doNotFake: PARTS.filter((part) => !parts.includes(part))});
}

afterEach(() => {
  jest.useRealTimers();
});
