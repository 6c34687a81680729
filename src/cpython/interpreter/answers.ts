import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {readRegularText} from '../../fs/regular-file.js';
import {withTemporaryFolder} from '../../fs/temporary-folder.js';
import {type ProcessOutput, type ProcessSpec, runProcess} from '../../exec/process.js';
import {ok, type Result} from '../../model/result.js';

export interface Question extends Omit<ProcessSpec, 'args' | 'input'> {
  /** The command line, which passes on the files that the process writes its answer to and reads its request from. */
  readonly args: (answer: string, request: string) => readonly string[];
  readonly request?: string;
  /** Whether a process that is killed counts as one that ended, with what it answered until then and a negative exit code. */
  readonly mayCrash?: boolean;
}

export interface Answered extends ProcessOutput {
  /** Empty when there is none. */
  readonly answer: string;
  /** The last of what the process printed: to stderr, or else to stdout. */
  readonly said: string;
}

const LAST_BYTES = 4000;

/**
 * Runs a helper process that answers in a file. Request and answer stay off the standard streams, because those belong to the code of
 * other people: what packages print when they are imported, or when the process ends, or read from stdin. Fails as `runProcess` does.
 */
export async function askProcess({
  args,
  request = '',
  mayCrash = false,
  ...spec
}: Question): Promise<Result<Answered>> {
  return withTemporaryFolder('answer', async (folder) => {
    const files = {answer: join(folder, 'answer'), request: join(folder, 'request')};
    await writeFile(files.request, request);
    const run = await runProcess({...spec, args: args(files.answer, files.request)});
    if (!run.ok && !(mayCrash && run.failure.code === 'PROCESS')) return run;
    const answer = await readRegularText(files.answer).catch(() => '');
    if (run.ok) return ok({...run.value, answer, said: lastWords(run.value)});
    return ok({stdout: '', stderr: '', exitCode: -1, answer, said: run.failure.message});
  });
}

function lastWords({stdout, stderr}: ProcessOutput): string {
  const [first, second] = [stderr.trimEnd(), stdout.trimEnd()];
  return (first === '' ? second : first).slice(-LAST_BYTES);
}
