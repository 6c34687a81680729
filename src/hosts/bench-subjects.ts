import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {NO_BYTECODE} from '../cpython/run-script.js';
import {describeTarget} from '../cpython/target.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import {type Result, fail, ok} from '../model/result.js';
import {installForBench} from './bench-installation.js';
import {defaultBuildDir} from './default-build-dir.js';
import type {HostContext, RelinkOptions} from './options.js';
import {placesOf, sourcePlacesOf} from './places.js';
import {linkPlain, prepareRelink} from './relink.js';
import {withEngine} from './session.js';

/** Two interpreters that differ in nothing but the images. */
export interface BenchSubject {
  /** `3.13.15` */
  readonly python: string;
  readonly stage1: BenchProgram;
  readonly stage2: BenchProgram;
}

export interface BenchProgram {
  readonly python: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
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
  const installed = await installForBench(join(places.root, 'bench'), places, run);
  if (!installed.ok) return installed;
  const {stage1, stage2} = installed.value;
  return ok({
    python: target.value.version.text,
    stage1: {python: stage1, environment},
    stage2: {python: stage2, environment},
  });
}

/**
 * A relinked interpreter, and the same archive linked without images, which is made when it is not there. Both read the
 * installed library, where nothing is written: its byte code files have to be there. Fails as `linkPlain` does, and with
 * BENCH when there is no relinked interpreter.
 */
export function relinkSubject(options: RelinkOptions, context: HostContext): Promise<Result<BenchSubject>> {
  const {out} = options;
  if (!existsSync(out)) {
    return Promise.resolve(
      fail('BENCH', `There is no ${out} to measure.`, {hint: 'make it with flashfreeze relink'}),
    );
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
