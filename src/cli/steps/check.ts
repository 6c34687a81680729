import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {tryImages} from '../../cpython/interpreter/try-images.js';
import {openProofs} from '../../engine/records/proofs.js';
import {readJson} from '../../fs/read-json.js';
import {compareImages} from '../../hosts/link/image-check.js';
import {type CheckRequest, type ComparedImage, checkRequestSchema} from '../../hosts/link/new-images.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {StepModule} from './step-module.js';
import {readStepPlan, wayOf} from './step-plan.js';

/**
 * `step check`: whether a new interpreter starts and uses its images, and whether they equal a fresh compile of their sources; writes an
 * empty file when that holds. Fails with SMOKE, VERIFY, ACTION and IO.
 */
export const options: StepModule['options'] = {
  python: {type: 'string'},
  // Starts it isolated, and without `site`
  'no-site': {type: 'boolean'},
  // The directory with an overlay's sitecustomize.py
  site: {type: 'string'},
  // What it has frozen; by default it was linked with that
  plan: {type: 'string'},
  // What to compare: a CheckRequest as JSON
  images: {type: 'string'},
  // The build directory that keeps the proofs of images that were compared
  proofs: {type: 'string'},
  // What to do when an image differs
  advice: {type: 'string'},
  out: {type: 'string'},
};

const NOTHING: CheckRequest = {force: false, images: []};
const ADVICE = 'this is an error of flashfreeze, or a wrong result in a cache: please report it';

export const run: StepModule['run'] = async ({text, optional, flag}, {environment, signal, cwd}) => {
  const site = optional('site');
  const interpreter = {
    python: resolve(cwd, text('python')),
    environment: {
      ...environment,
      ...(site === undefined ? {} : {PYTHONPATH: resolve(cwd, site)}),
      // An application's modules are not run here: any directory will do.
      FLASHFREEZE_ROOT: '/',
    },
    signal,
  };
  const request = await readRequest(optional('images'), cwd);
  if (!request.ok) return request;
  const {force, images} = request.value;
  const plan = optional('plan');
  const way =
    plan === undefined ? ({kind: 'linked'} as const) : wayOf(await readStepPlan(resolve(cwd, plan)));
  const folder = optional('proofs');
  const proofs =
    folder === undefined ? undefined : openProofs(resolve(cwd, folder), {store: undefined, force});
  const checked = await compareImages(
    await unprovenOf(images, proofs),
    proofs,
    (modules) => tryImages(interpreter, flag('no-site') ? ['-I', '-S', '-B'] : ['-s', '-B'], way, modules),
    optional('advice') ?? ADVICE,
  );
  if (!checked.ok) return checked;
  await writeFile(resolve(cwd, text('out')), '');
  return ok();
};

/** The images to compare. Relative paths of sources start in the working directory of the step. */
async function readRequest(file: string | undefined, cwd: string): Promise<Result<CheckRequest>> {
  if (file === undefined) return ok(NOTHING);
  const path = resolve(cwd, file);
  const request = await readJson(path, checkRequestSchema);
  if (request.kind === 'missing') return fail('IO', `no such file: ${path}`);
  if (request.kind === 'invalid') return fail('IO', `cannot read ${path}: ${request.reason}`);
  const {force, images} = request.value;
  return ok({force, images: images.map((image) => ({...image, source: resolve(cwd, image.source)}))});
}

async function unprovenOf(
  images: readonly ComparedImage[],
  proofs: ReturnType<typeof openProofs> | undefined,
): Promise<readonly ComparedImage[]> {
  if (proofs === undefined) return images;
  const stated = images.flatMap(({statement, ...image}) =>
    statement === undefined ? [] : [{...image, statement}],
  );
  return [...images.filter(({statement}) => statement === undefined), ...(await proofs.unproven(stated))];
}
