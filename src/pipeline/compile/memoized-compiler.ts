import {join} from 'node:path';
import {z} from 'zod';
import {type CompilerIdentity, compilerIdentity} from '../../cpython/build/compiler.js';
import {isDigest} from '../../model/digest.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {type Result, ok} from '../../model/result.js';
import {memoize} from '../../fs/memo.js';
import type {Places} from '../build-places.js';
import {READERS} from '../reader-identity.js';

const compilerSchema: z.ZodType<CompilerIdentity> = z.object({
  name: z.string(),
  digest: z.string().refine(isDigest),
  family: z.string(),
  version: z.string(),
  target: z.string(),
  files: z.array(z.string()),
});

/**
 * The identity of the C compiler. Computing it takes ten processes, so the result is kept in the build directory for as
 * long as the compiler, its tools and the system's headers are the same files. Fails as `compilerIdentity` does.
 */
export function memoizedCompiler(
  cc: string,
  places: Places,
  run: {readonly environment: Readonly<Record<string, string>>; readonly signal: AbortSignal},
): Promise<Result<CompilerIdentity>> {
  // PATH decides which compiler a name refers to.
  const question = canonicalJson({cc, path: run.environment['PATH'] ?? '', readers: READERS.digest});
  return memoize(join(places.work, 'compiler.json'), question, compilerSchema, async () => {
    const asked = await compilerIdentity(cc, [], run);
    return asked.ok ? ok({answer: asked.value, files: asked.value.files}) : asked;
  });
}
