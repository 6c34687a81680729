import {z} from 'zod';
import type {Result} from '../../model/result.js';
import {type Interpreter, runScript} from './run-script.js';

/** A regular expression, as a program has it compiled: `re.compile(text, flags)`. */
export interface Expression {
  /** Whether it is of bytes: `text` has a character for each, of the same number. */
  readonly bytes: boolean;
  readonly text: string;
  readonly flags: number;
}

/** What CPython makes of it: the arguments of `_sre.compile()` (Lib/re/_compiler.py, compile()). */
export interface CompiledExpression extends Expression {
  /** With those that the expression sets itself, and those that are always there. */
  readonly allFlags: number;
  readonly code: readonly number[];
  /** How many groups it has. */
  readonly groups: number;
  /** The named ones, in their order. */
  readonly names: readonly (readonly [name: string, group: number])[];
}

export const expressionSchema: z.ZodType<Expression> = z.object({
  bytes: z.boolean(),
  text: z.string(),
  flags: z.number(),
});

export const compiledExpressionsSchema: z.ZodType<readonly CompiledExpression[]> = z.array(
  z.object({
    bytes: z.boolean(),
    text: z.string(),
    flags: z.number(),
    allFlags: z.number(),
    code: z.array(z.number()),
    groups: z.number(),
    names: z.array(z.tuple([z.string(), z.number()])),
  }),
);

/**
 * Compiles regular expressions with an interpreter's own `re`. What does more than give a result is left out: an expression
 * that is wrong, that warns, whose meaning is the locale's, or that is printed while it is compiled. Fails with DISCOVER.
 */
export function compileExpressions(
  interpreter: Interpreter,
  expressions: readonly Expression[],
): Promise<Result<readonly CompiledExpression[]>> {
  return runScript(interpreter, 'compile_expressions.py', {
    flags: ['-I', '-S'],
    input: JSON.stringify(expressions),
    schema: compiledExpressionsSchema,
    code: 'DISCOVER',
  });
}
