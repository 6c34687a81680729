import {readFile, writeFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {z} from 'zod';
import {ensureFolder} from '../fs/files.js';
import {statFile} from '../fs/path-state.js';
import {type Result, ok} from '../model/result.js';

export interface Told<T> {
  readonly answer: T;
  /** The files that it was told from: absolute paths. Undefined for an answer that is not to be kept. */
  readonly files: readonly string[] | undefined;
}

/**
 * An answer that takes processes to get, kept in `file` for as long as it is the answer to the same question and the
 * files that it was told from are the same. Fails as `ask` does.
 */
export async function remembered<T>(
  file: string,
  question: string,
  schema: z.ZodType<T>,
  ask: () => Promise<Result<Told<T>>>,
): Promise<Result<T>> {
  const memo = await read(file, schema);
  if (memo?.question === question && stampsOf(memo.files)?.join() === memo.stamps.join()) {
    return ok(memo.answer);
  }
  const asked = await ask();
  if (!asked.ok) return asked;
  const {answer, files} = asked.value;
  const stamps = files && stampsOf(files);
  if (stamps !== undefined) {
    await ensureFolder(dirname(file));
    // Without a memo the next build asks again; what keeps it from being written will be told by the build itself.
    await writeFile(file, JSON.stringify({question, answer, files, stamps})).catch(() => undefined);
  }
  return ok(answer);
}

async function read<T>(file: string, schema: z.ZodType<T>) {
  const memo = z.object({
    question: z.string(),
    answer: schema,
    files: z.array(z.string()),
    stamps: z.array(z.string()),
  });
  try {
    return memo.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Undefined when one of the files is missing, or so fresh that its stamp says nothing. */
function stampsOf(files: readonly string[]): readonly string[] | undefined {
  const looks = files.map(statFile);
  return looks.every((look) => look?.settled === true) ? looks.map((look) => look?.stamp ?? '') : undefined;
}
