import {z} from 'zod';
import type {Result} from '../../model/result.js';
import {type Interpreter, runScript} from './run-script.js';

/** A piece of source text that a program compiles while it runs, with `compile()`, `eval()` or `exec()`. */
export interface Snippet {
  readonly text: string;
  /** Its co_filename, which is no file's: `<string>` unless `compile()` was given another one. */
  readonly filename: string;
  /** The `__future__` features of the code that has it compiled, as flags: they hold for the text, too. */
  readonly flags: number;
}

/** The same, compiled. */
export interface CompiledSnippet extends Snippet {
  readonly mode: 'eval' | 'exec';
  /** Marshal bytes, in base64. */
  readonly code: string;
}

export const snippetSchema: z.ZodType<Snippet> = z.object({
  text: z.string(),
  filename: z.string(),
  flags: z.number(),
});

export const compiledSnippetsSchema: z.ZodType<readonly CompiledSnippet[]> = z.array(
  z.object({
    text: z.string(),
    filename: z.string(),
    flags: z.number(),
    mode: z.enum(['eval', 'exec']),
    code: z.string(),
  }),
);

/**
 * Compiles snippets: as an expression what is one, else as statements. What does more than give a result is left out: text that
 * is wrong or makes the compiler warn, and numbers of so many digits that an interpreter may refuse them. Fails with DISCOVER.
 */
export function compileSnippets(
  interpreter: Interpreter,
  snippets: readonly Snippet[],
): Promise<Result<readonly CompiledSnippet[]>> {
  // The order of a frozenset is among what is written.
  const environment = {...interpreter.environment, PYTHONHASHSEED: '0'};
  return runScript({...interpreter, environment}, 'compile_snippets.py', {
    flags: ['-s', '-S'],
    input: JSON.stringify(snippets),
    schema: compiledSnippetsSchema,
    code: 'DISCOVER',
  });
}
