import {readFile} from '../../fs/recorded-fs.js';
import {parseJson} from '../../fs/read-json.js';
import type {CompileProblem} from '../../cpython/interpreter/worker.js';
import type {Artifact} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {isText, objectWith, schemaOf} from '../../model/shape.js';

/**
 * A source that Python does not compile is a result like others: it is cached, and stays the same until the source changes. Instead of
 * a code unit, the action leaves the problem, and a list of imports that no module has, by which it is recognised unread.
 */
const NO_IMPORTS = '!\n';
const NO_IMPORTS_DIGEST = digestOf(NO_IMPORTS);

/** Stands for the path of the source: results are shared between machines. */
const SOURCE = '\u{fdd0}';

const problemSchema = schemaOf<CompileProblem>(objectWith<CompileProblem>({type: isText, text: isText}));

/** The files of a problem: what takes the place of the code unit, and of the imports. */
export function encodeProblem(
  {type, text}: CompileProblem,
  source: string,
): {readonly unit: string; readonly imports: string} {
  return {unit: JSON.stringify({type, text: text.replaceAll(source, SOURCE)}), imports: NO_IMPORTS};
}

/** The problem that a compilation left; undefined if it left a code unit. */
export async function readProblem(
  unit: Artifact,
  imports: Artifact,
  source: string,
): Promise<CompileProblem | undefined> {
  if (imports.digest !== NO_IMPORTS_DIGEST) return undefined;
  // In a dry run, what the cache has is not in place.
  const text = await readFile(unit.path, 'utf8').catch(() => '');
  const problem = parseJson(text, problemSchema) ?? {type: 'SyntaxError', text: ''};
  return {...problem, text: problem.text.replaceAll(SOURCE, source)};
}

/** The encoding that a source declares and that Python does not know. */
export function unknownEncoding({type, text}: CompileProblem): string | undefined {
  return type === 'SyntaxError' ? /^SyntaxError: unknown encoding: (\S+)$/m.exec(text)?.[1] : undefined;
}
