import {z} from 'zod';
import {type ExpressionEntry, generateExpressions} from '../../codegen/tables/expression-table.js';
import {preparationOf} from './preparation.js';

/** A regular expression as a program has it compiled: `re.compile(text, flags)`. */
const source = {
  /** Whether the pattern is a bytes object; `text` then has one character for each byte. */
  bytes: z.boolean(),
  text: z.string(),
  flags: z.number(),
};

/** The arguments of `_sre.compile()` that `re` computes from it (Lib/re/_compiler.py, compile()). */
const compiled: z.ZodType<ExpressionEntry> = z.object({
  ...source,
  allFlags: z.number(),
  code: z.array(z.number()),
  groups: z.number(),
  names: z.array(z.tuple([z.string(), z.number()])),
});

/**
 * Regular expressions. The script leaves out those with errors or warnings, those that depend on the locale, and those that
 * are printed while they are compiled.
 */
export const regularExpressions = preparationOf({
  name: 'expressions',
  isChosen: ({preparesExpressions}) => preparesExpressions,
  source: z.object(source),
  compiled,
  script: 'compile_expressions.py',
  flags: ['-I', '-S'],
  textOf: ({text}) => text,
  // The runtime checks that these modules are unchanged (src/runtime/prepared/expression-calls.c).
  compilers: ({reModules}) => (reModules.length === 0 ? undefined : reModules),
  table: generateExpressions,
});
