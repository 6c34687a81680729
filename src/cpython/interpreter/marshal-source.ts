import {type Result, fail, ok} from '../../model/result.js';
import {askProcess} from './answers.js';
import {type Interpreter, NO_BYTECODE} from './run-script.js';

const PROGRAM = `
import marshal, sys
answer, source, filename = sys.argv[1:]
with open(source, encoding='utf-8') as file:
    code = compile(file.read(), filename, 'exec', dont_inherit=True)
with open(answer, 'w') as file:
    file.write(marshal.dumps(code).hex())
`;

/** The code of one of our source files, as an interpreter compiles and marshals it. Fails with COMPILE. */
export async function marshalSource(
  {python, environment, signal}: Interpreter,
  source: string,
  filename: string,
): Promise<Result<Uint8Array>> {
  const run = await askProcess({
    file: python,
    args: (answer) => ['-I', '-S', '-B', '-c', PROGRAM, answer, source, filename],
    cwd: '/',
    environment: {...environment, ...NO_BYTECODE},
    signal,
    timeoutMs: 60_000,
  });
  if (!run.ok) return run;
  const {exitCode, answer, said} = run.value;
  if (exitCode === 0) return ok(Buffer.from(answer, 'hex'));
  return fail('COMPILE', `${python} does not compile ${source}`, {details: said});
}
