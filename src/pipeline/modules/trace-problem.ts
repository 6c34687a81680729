import {z} from 'zod';
import {endingText, type Trace} from '../../cpython/interpreter/modules/program-trace.js';
import {scriptPath} from '../../cpython/interpreter/scripts.js';
import type {EventSink} from '../../model/events.js';
import {fail, ok, type Result} from '../../model/result.js';

/** A traced program that ended with an error: perhaps it did not import all that it imports otherwise. */
export const traceProblem = z.object({
  /** What happened, with the command line. */
  message: z.string(),
  /** The last lines that it printed; empty if there are none. */
  output: z.string(),
});
export type TraceProblem = z.infer<typeof traceProblem>;

const LAST_LINES = 8;
const LINE_LENGTH = 200;
const COMMAND_LENGTH = 120;

/** What is wrong with a trace; undefined if the program ended without an error. */
export function findTraceProblem(argv: readonly string[], trace: Trace): TraceProblem | undefined {
  const {ending, isComplete} = trace;
  const succeeded = ending.kind === 'exit' && ending.code === 0;
  if (succeeded && isComplete) return undefined;
  const command = shorten(printable(['python', ...argv].join(' ').replaceAll('\n', ' ')), COMMAND_LENGTH);
  const how = succeeded ? 'ended before all of its imports were recorded' : endingText(ending);
  return {message: `the traced program "${command}" ${how}`, output: lastLines(trace)};
}

/** Reports the problems of traces: as warnings, or, with `isStrict`, as a failure with the code TRACE. */
export function reportTraceProblems(
  problems: readonly TraceProblem[],
  isStrict: boolean,
  events: EventSink,
): Result<void> {
  const [first] = problems;
  if (first === undefined) return ok();
  if (isStrict) {
    const others = problems.slice(1).flatMap(({message, output}) => [message, output]);
    return fail('TRACE', first.message, {
      details: [first.output, ...others].filter((text) => text !== '').join('\n'),
      hint: 'without --strict-traces, this is a warning, and what the program imported until then is frozen',
    });
  }
  for (const {message, output} of problems) {
    events.emit({
      type: 'warning',
      message: `${message}; only what it imported until then is frozen`,
      ...(output === '' ? {} : {details: output}),
      hint: 'each build runs it again until it ends with exit code 0; --strict-traces makes this an error',
    });
  }
  return ok();
}

/** Whether a warning about a trace names a source that does not compile: the program ended with the traceback of its import. */
export function isNamedBy(problems: readonly TraceProblem[], source: string): boolean {
  return problems.some(({output}) => output.includes(`  File "${source}", line `));
}

/** The end of what a program printed to stderr, or else to stdout. */
function lastLines({stderr, stdout}: Trace): string {
  const text = [stderr, stdout].map((each) => each.trimEnd()).find((each) => each !== '') ?? '';
  const lines = withoutTracer(text).split(/\r?\n/).slice(-LAST_LINES);
  return lines.map((line) => shorten(printable(line), LINE_LENGTH)).join('\n');
}

/** Tracebacks without the frame of the tracer, which is below each program, and its line (with marks below it from 3.11 on). */
function withoutTracer(text: string): string {
  const frame = `  File "${scriptPath('trace_imports.py')}", line `;
  let isInside = false;
  return text
    .split('\n')
    .filter((line) => {
      isInside = line.startsWith(frame) || (isInside && line.startsWith('    '));
      return !isInside;
    })
    .join('\n');
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** Text of a program for a terminal: control characters, and characters that change the direction of text, are escaped. */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\u2028\u2029]/gu, (char) => {
    if (char === '\t') return ' ';
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
