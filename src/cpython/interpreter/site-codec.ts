import {z} from 'zod';
import type {Result} from '../../model/result.js';
import {type Interpreter, runScript} from './run-script.js';

const answer = z.object({files: z.array(z.string()), folders: z.array(z.string())});

/**
 * The files outside of the standard library that decide how a Python that runs `site` decodes an encoding, and the directories
 * in which another file could. Fails with DISCOVER when something that `site` loads ends the process, and with PYTHON.
 */
export function describeCodec(
  interpreter: Interpreter,
  encoding: string,
): Promise<Result<z.infer<typeof answer>>> {
  return runScript(interpreter, 'describe_codec.py', {
    input: JSON.stringify({encoding}),
    schema: answer,
    code: 'DISCOVER',
  });
}
