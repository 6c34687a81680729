import {join} from 'node:path';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {describeStart} from '../../cpython/interpreter/site-description.js';
import {SESSION_VARIABLES} from '../../exec/environment.js';
import {checkPaths, readMemo, settledPath, writeMemo} from '../../fs/memo.js';
import {readdir, readFile, recordFile} from '../../fs/recorded-fs.js';
import {currentRecording, withoutRecording} from '../../fs/recording.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {digestOf} from '../../model/digest.js';
import {isText, listOf, objectWith, schemaOf} from '../../model/shape.js';
import type {Places} from '../build-places.js';
import {programEnvironment} from './program-environment.js';

/** Files that Python executes by itself when it starts. */
const START_HOOK = /\.pth$|\/(site|user)customize(\.py|\/__init__\.py)$/;

/** A digest, and what it was computed from besides the environment. */
interface ProgramStart {
  readonly digest: string;
  readonly files: readonly string[];
  readonly sites: readonly string[];
}
const programStartSchema = schemaOf<ProgramStart>(
  objectWith<ProgramStart>({digest: isText, files: listOf(isText), sites: listOf(isText)}),
);

/**
 * A digest of what `site` makes of the user's environment before a program begins: a .pth file or sitecustomize may read any variable, and
 * decide by it what imports find. The interpreter is asked again after a change of a variable, of a file that `site` loads, or of a directory
 * of such files. A `site` that does not run gives a constant: who needs it reports that.
 */
export async function programStart(
  interpreter: Interpreter,
  user: Readonly<Record<string, string | undefined>>,
  cwd: string,
  {work}: Pick<Places, 'work'>,
): Promise<string> {
  const {environment} = programEnvironment(interpreter, user);
  const relevant = Object.entries(environment).filter(([name]) => !SESSION_VARIABLES.includes(name));
  // A digest, because they may be secret.
  const question = digestOf(canonicalJson([interpreter.python, cwd, Object.fromEntries(relevant)]));
  const file = join(work, 'program-start.json');
  const memo = await readMemo(file, question, programStartSchema);
  if (memo !== undefined && checkPaths(memo.paths) !== undefined) return record(memo.answer);
  const described = await withoutRecording(() => describeStart({...interpreter, environment}, cwd));
  if (!described.ok) {
    currentRecording()?.addGap('the start of programs is not known');
    return '';
  }
  const {start, files, sites} = described.value;
  // What they execute decides more than what it leaves in sight.
  const hooks = await Promise.all(
    files.filter((path) => START_HOOK.test(path)).map((path) => readFile(path).then(digestOf, () => '')),
  );
  const answer = {digest: digestOf(canonicalJson([start, files, ...hooks])), files, sites};
  const paths = [
    ...files.map((path) => settledPath(path, 'file')),
    ...sites.map((path) => settledPath(path, 'entries')),
  ];
  if (paths.every((path) => path !== undefined)) await writeMemo(file, {question, answer, paths});
  return record(answer);
}

/** A build is repeated when one of the paths has changed. */
async function record({digest, files, sites}: ProgramStart): Promise<string> {
  files.forEach(recordFile);
  await Promise.all(sites.map((folder) => readdir(folder).catch(() => undefined)));
  return digest;
}
