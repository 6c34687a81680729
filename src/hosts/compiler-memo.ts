import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {ensureFolder} from '../cache/files.js';
import {type CompilerIdentity, compilerIdentity} from '../cpython/compiler.js';
import {glance} from '../engine/stamps.js';
import {isDigest} from '../model/digest.js';
import {type Result, ok} from '../model/result.js';
import type {Places} from './places.js';

const memoSchema = z.object({
  cc: z.string(),
  /** Decides which compiler a name means. */
  path: z.string(),
  compiler: z.object({
    name: z.string(),
    digest: z.string().refine(isDigest),
    family: z.string(),
    version: z.string(),
    target: z.string(),
    files: z.array(z.string()),
  }),
  stamps: z.array(z.string()),
});

/**
 * The identity of the C compiler. To ask for it takes ten processes, so the answer is kept in the build folder for as
 * long as the compiler, its tools and the system's headers are the same files. Fails as `compilerIdentity` does.
 */
export async function rememberedCompiler(
  cc: string,
  places: Places,
  run: {readonly environment: Readonly<Record<string, string>>; readonly signal: AbortSignal},
): Promise<Result<CompilerIdentity>> {
  const file = join(places.work, 'compiler.json');
  const path = run.environment['PATH'] ?? '';
  const memo = await read(file);
  if (memo?.cc === cc && memo.path === path && stampsOf(memo.compiler.files)?.join() === memo.stamps.join()) {
    return ok(memo.compiler);
  }
  const asked = await compilerIdentity(cc, [], run);
  if (!asked.ok) return asked;
  const stamps = stampsOf(asked.value.files);
  if (stamps !== undefined) {
    await ensureFolder(places.work);
    // Without a memo the next build asks again; what keeps it from being written will be told by the build itself.
    await writeFile(file, JSON.stringify({cc, path, compiler: asked.value, stamps})).catch(() => undefined);
  }
  return asked;
}

async function read(file: string): Promise<z.infer<typeof memoSchema> | undefined> {
  try {
    return memoSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Undefined when one of the files is missing, or so fresh that its stamp says nothing. */
function stampsOf(files: readonly string[]): readonly string[] | undefined {
  const looks = files.map(glance);
  return looks.every((look) => look?.settled === true) ? looks.map((look) => look?.stamp ?? '') : undefined;
}
