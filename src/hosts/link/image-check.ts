import {scriptFiles} from '../../cpython/interpreter/scripts.js';
import type {TriedDifference, TriedModule} from '../../cpython/interpreter/try-images.js';
import type {Statement} from '../../engine/records/proofs.js';
import {hashFile} from '../../fs/files.js';
import {digestOf, type Digest} from '../../model/digest.js';
import {failure, type Failure} from '../../model/failure.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import type {Objects, Site} from '../../pipeline/host.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import type {Toolchain} from '../../pipeline/toolchain.js';
import {LINKING} from './linking-identity.js';

/** Starts what was linked, and has it compare images with a fresh compile: `tryImages`, `tryOverlay`. */
export type Attempt = (modules: readonly TriedModule[]) => Promise<Result<readonly TriedDifference[]>>;

/** Whether what was linked may go into use. */
export type ImageCheck = (isNew: boolean, attempt: Attempt) => Promise<Result<void>>;

/** An image that nobody has compared yet. */
interface NewImage extends TriedModule {
  /** Of the source. */
  readonly digest: Digest;
  readonly statement: Statement;
}

/** The field that try_images.py names for a source that it cannot read: that is no difference, and no proof. */
const UNKNOWN_ENCODING = 'unknown encoding';

/** How many differences a failure lists. */
const LISTED = 10;

/**
 * The check of what is linked from `objects`: if it `isNew`, that it starts and uses images, and (unless the user turned it off) that each image that is
 * new, or has changed, equals a fresh compile of its source. It fails as the attempt does, with VERIFY for an image that differs, and with
 * ACTION when its source was edited meanwhile.
 */
export function imageCheck(objects: Objects, plan: FreezePlan, toolchain: Toolchain, site: Site): ImageCheck {
  return async (isNew, attempt) => {
    const images = site.context.verify ? await newImages(objects, plan, toolchain, site) : ok([]);
    if (!images.ok) return images;
    if (!isNew && images.value.length === 0) return ok();
    const tried = await attempt(images.value.map(({module, source}) => ({module, source})));
    if (!tried.ok) return tried.failure.code === 'VERIFY' ? err(withHint(tried.failure)) : tried;
    const differences = tried.value.filter(({field}) => field !== UNKNOWN_ENCODING);
    if (differences.length > 0) return refuse(differences, images.value);
    const unread = new Set(tried.value.map(({module}) => module));
    const equal = images.value.filter(({module}) => !unread.has(module));
    await site.engine.proofs.keep(equal.map(({statement}) => statement));
    return ok();
  };
}

async function newImages(
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
  const all = plan.modules.flatMap(({module, filename, source}, i) => {
    const [image, content] = [images[i], sources.value[i]];
    if (image === undefined || content === undefined) return [];
    const statement = {...common, module, filename, image: image.digest, source: content.digest};
    return [{module, source, digest: content.digest, statement}];
  });
  return ok(await engine.proofs.unproven(all));
}

/** The failure of a check that found differences. */
async function refuse(
  differences: readonly TriedDifference[],
  images: readonly NewImage[],
): Promise<Result<never>> {
  const differing = new Set(differences.map(({module}) => module));
  for (const {module, source, digest} of images) {
    if (!differing.has(module)) continue;
    const now = await hashFile(source);
    if (now.ok && now.value.digest === digest) continue;
    return fail('ACTION', `${source} changed during the build`, {hint: 'run the build again'});
  }
  const [first] = differences;
  const what =
    differing.size === 1 && first !== undefined
      ? `the image of ${first.module} differs from a fresh compile of ${first.source}`
      : `${differing.size} of ${images.length} new images differ from a fresh compile`;
  const lines = differences.slice(0, LISTED).map(lineOf);
  const more = differences.length - lines.length;
  const details = [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
  return err(withHint(failure('VERIFY', what, {details})));
}

function lineOf({module, where, field, detail}: TriedDifference): string {
  return `${module}, ${where}: ${field}: ${detail}`;
}

/** Nothing that a user does makes an image wrong: a result in a cache is, or flashfreeze itself. */
function withHint(problem: Failure): Failure {
  return {
    ...problem,
    hint: 'nothing was replaced; build again with --force, report it if that does not help, and use --verify=false to build without this check',
  };
}
