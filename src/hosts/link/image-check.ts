import type {TriedDifference, TriedModule} from '../../cpython/interpreter/try-images.js';
import type {Proofs} from '../../engine/records/proofs.js';
import {hashFile} from '../../fs/files.js';
import {failure, type Failure} from '../../model/failure.js';
import {err, ok, type Result} from '../../model/result.js';
import type {Objects, Site} from '../../pipeline/host.js';
import type {FreezePlan} from '../../pipeline/modules/module-plan.js';
import type {Toolchain} from '../../pipeline/toolchain.js';
import {type ComparedImage, statementsOf} from './new-images.js';

/** Starts what was linked, and has it compare images with a fresh compile: `tryImages`, `tryOverlay`. */
export type Attempt = (modules: readonly TriedModule[]) => Promise<Result<readonly TriedDifference[]>>;

/** Whether what was linked may go into use. */
export type ImageCheck = (isNew: boolean, attempt: Attempt) => Promise<Result<void>>;

/** The field that try_images.py names for a source that it cannot read: that is no difference, and no proof. */
const UNKNOWN_ENCODING = 'unknown encoding';

/** How many differences a failure lists. */
const LISTED = 10;

const ADVICE =
  'nothing was replaced; build again with --force, report it if that does not help, and use --verify=false to build without this check';

/**
 * The check of what is linked from `objects`: if it `isNew`, that it starts and uses images, and (unless the user turned it off) that each image that is
 * new, or has changed, equals a fresh compile of its source. It fails as `compareImages` does.
 */
export function imageCheck(objects: Objects, plan: FreezePlan, toolchain: Toolchain, site: Site): ImageCheck {
  return async (isNew, attempt) => {
    const images = site.context.verify ? await statementsOf(objects, plan, toolchain, site) : ok([]);
    if (!images.ok) return images;
    const unproven = await site.engine.proofs.unproven(images.value);
    if (!isNew && unproven.length === 0) return ok();
    return compareImages(unproven, site.engine.proofs, attempt, ADVICE);
  };
}

/**
 * Compares images in what was linked, and keeps a proof of each that equals a fresh compile. Fails as the attempt does, with VERIFY for an
 * image that differs, and with ACTION when its source was edited meanwhile.
 * @param advice the hint of a failure. Nothing that a user does makes an image wrong: a result in a cache is, or flashfreeze itself.
 */
export async function compareImages(
  images: readonly ComparedImage[],
  proofs: Pick<Proofs, 'keep'> | undefined,
  attempt: Attempt,
  advice: string,
): Promise<Result<void>> {
  const tried = await attempt(images.map(({module, source}) => ({module, source})));
  if (!tried.ok) return tried.failure.code === 'VERIFY' ? err({...tried.failure, hint: advice}) : tried;
  const differences = tried.value.filter(({field}) => field !== UNKNOWN_ENCODING);
  if (differences.length > 0) return err(await failureOf(differences, images, advice));
  const unread = new Set(tried.value.map(({module}) => module));
  const equal = images.filter(({module}) => !unread.has(module));
  await proofs?.keep(equal.flatMap(({statement}) => (statement === undefined ? [] : [statement])));
  return ok();
}

async function failureOf(
  differences: readonly TriedDifference[],
  images: readonly ComparedImage[],
  advice: string,
): Promise<Failure> {
  const differing = new Set(differences.map(({module}) => module));
  for (const {module, source, digest} of images) {
    if (digest === undefined || !differing.has(module)) continue;
    const now = await hashFile(source);
    if (now.ok && now.value.digest === digest) continue;
    return failure('ACTION', `${source} changed during the build`, {hint: 'run the build again'});
  }
  const [first] = differences;
  const what =
    differing.size === 1 && first !== undefined
      ? `the image of ${first.module} differs from a fresh compile of ${first.source}`
      : `${differing.size} of ${images.length} new images differ from a fresh compile`;
  const lines = differences.slice(0, LISTED).map(lineOf);
  const more = differences.length - lines.length;
  const details = [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
  return failure('VERIFY', what, {details, hint: advice});
}

function lineOf({module, where, field, detail}: TriedDifference): string {
  return `${module}, ${where}: ${field}: ${detail}`;
}
