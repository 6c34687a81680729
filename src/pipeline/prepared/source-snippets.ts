import {z} from 'zod';
import {type SnippetEntry, generateSnippets} from '../../codegen/tables/snippet-table.js';
import {preparationOf} from './preparation.js';

/** A piece of source text that a program compiles at run time, with `compile()`, `eval()` or `exec()`. */
const source = {
  text: z.string(),
  /** Its co_filename, which is not that of a file: `<string>` unless `compile()` was given another one. */
  filename: z.string(),
  /** The `__future__` features of the code that has it compiled, as flags: the text inherits them. */
  flags: z.number(),
};

const compiled: z.ZodType<SnippetEntry> = z.object({
  ...source,
  mode: z.enum(['eval', 'exec']),
  /** Marshal bytes, in base64. */
  code: z.string(),
});

/**
 * Source text, compiled as an expression if it is one, otherwise as statements. The script leaves out text with errors or
 * compiler warnings, and numbers with so many digits that an interpreter may reject them.
 */
export const sourceSnippets = preparationOf({
  name: 'snippets',
  isChosen: ({preparesSnippets}) => preparesSnippets,
  source: z.object(source),
  compiled,
  script: 'compile_snippets.py',
  flags: ['-s', '-S'],
  // Marshal bytes contain the order of a frozenset.
  environment: {PYTHONHASHSEED: '0'},
  textOf: ({filename, text}) => `${filename}\n${text}`,
  compilers: ({replacesCompile}) => (replacesCompile ? [] : undefined),
  table: generateSnippets,
});
