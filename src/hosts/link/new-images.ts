import {z} from 'zod';
import {scriptFiles} from '../../cpython/interpreter/scripts.js';
import type {TriedModule} from '../../cpython/interpreter/try-images.js';
import type {Statement} from '../../engine/records/proofs.js';
import {digestOf, isDigest, type Digest} from '../../model/digest.js';
import {type Result, ok} from '../../model/result.js';
import type {Objects, Site} from '../../pipeline/host.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import type {Toolchain} from '../../pipeline/toolchain.js';
import {LINKING} from './linking-identity.js';

/** An image, with what is to be proved of it. */
export interface NewImage extends TriedModule {
  /** Of the source. */
  readonly digest: Digest;
  readonly statement: Statement;
}

/** An image to compare. A build system that knows itself what is up to date gives no statement. */
export interface ComparedImage extends TriedModule {
  readonly digest?: Digest | undefined;
  readonly statement?: Statement | undefined;
}

/** The check of what another program links: the images to compare, and whether proofs of earlier builds count. */
export interface CheckRequest {
  readonly force: boolean;
  readonly images: readonly ComparedImage[];
}

export const checkRequestSchema: z.ZodType<CheckRequest> = z.object({
  force: z.boolean(),
  images: z.array(
    z.object({
      module: z.string(),
      source: z.string(),
      digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value)).optional(),
      statement: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

/** Every image of a build, with the statement that it equals a fresh compile of its source. */
export async function statementsOf(
  {images, runtime}: Objects,
  plan: FreezePlan,
  {identity, cc}: Toolchain,
  {engine}: Site,
): Promise<Result<readonly NewImage[]>> {
  const scripts = await engine.sources(scriptFiles('try_images.py'));
  if (!scripts.ok) return scripts;
  const sources = await engine.sources(
    plan.modules.map(({sourceName, source}) => ({name: sourceName, path: source})),
  );
  if (!sources.ok) return sources;
  const common = {
    proof: 'the image equals a fresh compile of the source',
    interpreter: identity.digest,
    linker: cc.compiler.digest,
    runtime: digestOf(runtime.map(({digest}) => digest).join('\n')),
    checker: LINKING.digest,
    script: digestOf(scripts.value.map(({digest}) => digest).join('\n')),
  };
  return ok(
    plan.modules.flatMap(({module, filename, source}, i) => {
      const [image, content] = [images[i], sources.value[i]];
      if (image === undefined || content === undefined) return [];
      const statement = {...common, module, filename, image: image.digest, source: content.digest};
      return [{module, source, digest: content.digest, statement}];
    }),
  );
}
