import {describe, expect, test} from '@jest/globals';
import {extractErrors} from '../../../../src/cpython/build/tool-output.js';

describe('extractErrors', () => {
  const noise = Array.from({length: 100}, (_, index) => `gcc -Werror -DERR=error -c pyerrors${index}.c`);

  test('are the errors, with the lines around them', () => {
    const complaint = ['In function f:', 'a.c:3:1: error: unknown type', ' 3 | foo x;', '   | ^~~'];
    const words = extractErrors([...noise, ...complaint, ...noise, 'make: *** [a.o] Error 1'].join('\n'));
    for (const line of complaint) expect(words).toContain(line);
    expect(words).toContain('make: *** [a.o] Error 1');
    expect(words).not.toContain('pyerrors50.c');
  });

  test('are not what configure checks for', () => {
    const words = extractErrors(
      ['checking for error... no', ...noise, 'configure: error: no way'].join('\n'),
    );
    expect(words).not.toContain('checking for error');
    expect(words).toContain('configure: error: no way');
  });

  test('are the last lines if there is no error', () => {
    expect(extractErrors(noise.join('\n')).split('\n')).toEqual(noise.slice(-10));
  });

  test('are few, however many errors there are', () => {
    const many = Array.from({length: 5000}, (_, index) => `x.c:${index}: error: again`).join('\n');
    expect(extractErrors(many).split('\n').length).toBeLessThan(60);
  });
});
