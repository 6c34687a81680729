import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {NO_BYTECODE} from '../cpython/interpreter/run-script.js';
import {describeTarget} from '../cpython/interpreter/target.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import {type Result, fail, ok} from '../model/result.js';
import type {BenchProgram} from './bench-program.js';
import {installForBench} from './bench-installation.js';
import {defaultBuildDir} from '../pipeline/default-build-dir.js';
import type {HostContext, OverlayOptions, RelinkOptions} from '../pipeline/build-options.js';
import {overlayPlaces} from '../hosts/overlay/overlay-host.js';
import {placesOf, sourcePlacesOf} from '../pipeline/build-places.js';
import {linkPlain, prepareRelink} from '../hosts/installed/relink-host.js';
import {withEngine} from '../pipeline/session.js';
import {runEnvironment} from '../hosts/source/stage1.js';

/** Two interpreters that differ in nothing but the images. */
export interface BenchSubject {
  /** `3.13.15` */
  readonly python: string;
  readonly stage1: BenchProgram;
  readonly stage2: BenchProgram;
}

/**
 * Stage 1 and stage 2 of a build from source, in an installation made for measuring them. Fails with BENCH, and with
 * PYTHON when there is no such build.
 */
export async function sourceSubject(buildDir: string, context: HostContext): Promise<Result<BenchSubject>> {
  const places = sourcePlacesOf(buildDir);
  const environment = scrubbedEnvironment({}, context.userEnvironment);
  const run = {environment, signal: context.signal};
  const target = await describeTarget({python: places.stage2, ...run});
  if (!target.ok) return target;
  const forStage1 = runEnvironment(target.value, places, environment);
  const installed = await installForBench(join(places.root, 'bench'), places, {
    ...run,
    environment: forStage1,
  });
  if (!installed.ok) return installed;
  const {stage1, stage2} = installed.value;
  return ok({
    python: target.value.version.text,
    stage1: {python: stage1, environment: forStage1},
    stage2: {python: stage2, environment},
  });
}

/**
 * A relinked interpreter, and the same archive linked without images, which is made when it is not there. Both read the
 * installed library, where nothing is written: its bytecode files have to be there. Fails as `linkPlain` does, and with
 * BENCH when there is no relinked interpreter.
 */
export function relinkSubject(options: RelinkOptions, context: HostContext): Promise<Result<BenchSubject>> {
  const {out} = options;
  if (!existsSync(out)) {
    return Promise.resolve(fail('BENCH', `${out} not found`, {hint: 'make it with flashfreeze relink'}));
  }
  const places = placesOf(options.buildDir ?? defaultBuildDir('relink', options, context.cacheDir));
  return withEngine(places.root, context, async (engine) => {
    const environment = scrubbedEnvironment(NO_BYTECODE, context.userEnvironment);
    const site = {engine, context, environment};
    const toolchain = await prepareRelink(options, places, site);
    if (!toolchain.ok) return toolchain;
    const plain = await linkPlain(toolchain.value, places, site);
    if (!plain.ok) return plain;
    return ok({
      python: toolchain.value.target.version.text,
      stage1: {python: plain.value.path, environment},
      stage2: {python: out, environment},
    });
  });
}

/**
 * An installed Python, and the same with its overlay switched on by the variable, which is the slowest way. Fails with
 * PYTHON, and with BENCH when there is no overlay.
 */
export async function overlaySubject(
  {python, out}: OverlayOptions,
  context: HostContext,
): Promise<Result<BenchSubject>> {
  const {signal} = context;
  const environment = scrubbedEnvironment(NO_BYTECODE, context.userEnvironment);
  const target = await describeTarget({python, environment, signal});
  if (!target.ok) return target;
  const {extension, siteFolder} = overlayPlaces(out, target.value);
  if (!existsSync(extension)) {
    return fail('BENCH', `${extension} not found`, {hint: 'make it with flashfreeze overlay'});
  }
  const {executable, version} = target.value;
  return ok({
    python: version.text,
    stage1: {python: executable, environment},
    stage2: {python: executable, environment: {...environment, PYTHONPATH: siteFolder}},
  });
}
