import {expect, test} from '@jest/globals';
import type {EventInput} from '../../../../src/model/events.js';
import {scriptPath} from '../../../../src/cpython/interpreter/scripts.js';
import type {Trace} from '../../../../src/cpython/interpreter/modules/program-trace.js';
import {
  findTraceProblem,
  isNamedBy,
  reportTraceProblems,
} from '../../../../src/pipeline/modules/trace-problem.js';

function traceWith(trace: Partial<Trace>): Trace {
  const nothing = {modules: [], compiled: {}, variables: [], isComplete: true, stdout: '', stderr: ''};
  return {...nothing, ending: {kind: 'exit', code: 0}, ...trace};
}
const messageOf = (trace: Partial<Trace>): string | undefined =>
  findTraceProblem(['main.py'], traceWith(trace))?.message;

test('a program that ends with exit code 0 has no problem, unless its record has no end', () => {
  expect(messageOf({})).toBeUndefined();
  expect(messageOf({isComplete: false})).toMatch(
    /"python main.py" ended before all of its imports were recorded/,
  );
});

test('exit codes, signals and timeouts are named', () => {
  expect(messageOf({ending: {kind: 'exit', code: 3}})).toMatch(/ended with exit code 3$/);
  expect(messageOf({ending: {kind: 'signal', signal: 'SIGSEGV'}})).toMatch(/was killed by SIGSEGV$/);
  expect(messageOf({ending: {kind: 'timeout', seconds: 60}})).toMatch(/did not end within 60 s/);
});

test('of what it printed there are the last lines, of stderr or else of stdout, escaped and bounded', () => {
  const ending = {kind: 'exit', code: 1} as const;
  const outputOf = (trace: Partial<Trace>): string =>
    findTraceProblem(['main.py'], traceWith({ending, ...trace}))?.output ?? '';
  expect(outputOf({stdout: 'only this\n'})).toBe('only this');
  expect(outputOf({stdout: 'not this', stderr: 'a\r\nb\n\n'})).toBe('a\nb');
  expect(outputOf({stderr: '\u001b[31mred\u0007 \u202egnol'})).toBe('\\x1b[31mred\\x07 \\u{202e}gnol');
  const long = outputOf({stderr: Array.from({length: 50}, (_, i) => `${i} ${'x'.repeat(5000)}`).join('\n')});
  expect(long.split('\n')).toHaveLength(8);
  expect(long.length).toBeLessThan(8 * 201);
  expect(long).toMatch(/^42 x+…\n/);
});

test('tracebacks do not show the tracer, which is below the program', () => {
  const tracer = scriptPath('trace_imports.py');
  const frames = (path: string): string[] => [
    `  File "${path}", line 7, in <module>`,
    '    call()',
    '    ~~~~^^',
  ];
  const lines = [
    'Traceback (most recent call last):',
    ...frames(tracer),
    ...frames('/app/main.py'),
    'KeyError: 1',
  ];
  const ending = {kind: 'exit', code: 1} as const;
  expect(findTraceProblem(['main.py'], traceWith({ending, stderr: lines.join('\n')}))?.output).toBe(
    ['Traceback (most recent call last):', ...frames('/app/main.py'), 'KeyError: 1'].join('\n'),
  );
});

test('a command line of several lines is one, and bounded', () => {
  const problem = findTraceProblem(['-c', 'a\nb'.repeat(200)], traceWith({isComplete: false}));
  expect(problem?.message).not.toContain('\n');
  expect(problem?.message.length).toBeLessThan(250);
});

test('problems are warnings, or one failure that has all of them', () => {
  const events: EventInput[] = [];
  const sink = {emit: (event: EventInput) => void events.push(event)};
  const problems = [
    {message: 'one', output: 'KeyError'},
    {message: 'two', output: ''},
  ];
  expect(reportTraceProblems([], true, sink)).toMatchObject({ok: true});
  expect(reportTraceProblems(problems, false, sink)).toMatchObject({ok: true});
  expect(events).toMatchObject([
    {type: 'warning', message: expect.stringMatching(/^one;/), details: 'KeyError'},
    {type: 'warning', message: expect.stringMatching(/^two;/)},
  ]);
  expect(reportTraceProblems(problems, true, sink)).toMatchObject({
    ok: false,
    failure: {code: 'TRACE', message: 'one', details: 'KeyError\ntwo'},
  });
  expect(events).toHaveLength(2);
});

test('a source whose traceback a program ended with is named already', () => {
  const problem = (output: string) => [{message: 'it ended', output}];
  const traceback =
    '  File "/app/main.py", line 1\n  File "/app/broken.py", line 3\nSyntaxError: invalid syntax';
  expect(isNamedBy(problem(traceback), '/app/broken.py')).toBe(true);
  expect(isNamedBy(problem(traceback), '/app/other.py')).toBe(false);
  expect(isNamedBy(problem('cannot load /app/broken.py'), '/app/broken.py')).toBe(false);
  expect(isNamedBy([], '/app/broken.py')).toBe(false);
});
