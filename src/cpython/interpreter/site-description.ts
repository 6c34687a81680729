import {z} from 'zod';
import type {Result} from '../../model/result.js';
import {type Interpreter, runScript} from './run-script.js';

const texts = z.array(z.string());
const answer = z.object({start: texts, files: texts, sites: texts, folders: texts});
type Answer = z.infer<typeof answer>;

/**
 * The files outside of the standard library that decide how a Python that runs `site` decodes an encoding, and the directories
 * in which another file could. Fails with DISCOVER when something that `site` loads ends the process, and with PYTHON.
 */
export function describeCodec(
  interpreter: Interpreter,
  encoding: string,
): Promise<Result<Pick<Answer, 'files' | 'folders'>>> {
  return describe(interpreter, {encoding});
}

/**
 * What a program of this Python begins with (its `sys.path`, finders and loaded modules), with the files that `site` loads and the
 * directories in which it looks for them. Fails as `describeCodec` does.
 */
export function describeStart(interpreter: Interpreter, cwd: string): Promise<Result<Answer>> {
  return describe(interpreter, {}, cwd);
}

function describe(interpreter: Interpreter, request: object, cwd?: string): Promise<Result<Answer>> {
  return runScript(interpreter, 'describe_site.py', {
    input: JSON.stringify(request),
    schema: answer,
    code: 'DISCOVER',
    ...(cwd === undefined ? {} : {cwd}),
  });
}
