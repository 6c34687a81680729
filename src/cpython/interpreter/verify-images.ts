import {z} from 'zod';
import type {Result} from '../../model/result.js';
import {type Interpreter, runScript} from './run-script.js';

const answer = z.object({
  modules: z.number(),
  /** How many regular expressions were compared. */
  expressions: z.number(),
  /** And how many source texts. */
  snippets: z.number(),
  differences: z.array(
    z.object({module: z.string(), where: z.string(), field: z.string(), detail: z.string()}),
  ),
});

/** Comparing a thousand modules takes about half a minute. */
const TIMEOUT_MS = 20 * 60_000;

/**
 * Compares every image of a frozen interpreter with a fresh compile, in that interpreter, and so every regular expression and
 * every source text that was compiled beforehand.
 * @param sources where the sources of modules lie that CPython freezes itself
 * @param hashSeed for PYTHONHASHSEED: a number, or `random`
 * Fails with VERIFY when the interpreter has no images or ends badly, and with PYTHON.
 */
export function compareImages(
  interpreter: Interpreter,
  sources: Readonly<Record<string, string>>,
  hashSeed: string,
): Promise<Result<z.infer<typeof answer>>> {
  // The debug allocator: memory that nobody wrote looks the same everywhere (verify_images.py, struct_differences).
  const environment = {...interpreter.environment, PYTHONHASHSEED: hashSeed, PYTHONMALLOC: 'debug'};
  return runScript({...interpreter, environment}, 'verify_images.py', {
    // With site: it is what loads an overlay.
    flags: ['-s'],
    input: JSON.stringify({sources}),
    schema: answer,
    code: 'VERIFY',
    timeoutMs: TIMEOUT_MS,
  });
}
