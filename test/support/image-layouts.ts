/** How images look in the Pythons of this machine, as their compiler says. */
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {AddressModel} from '../../src/codegen/address-model.js';
import {type WellKnownStrings, parseWellKnownStrings} from '../../src/codegen/objects/well-known.js';
import type {ImageLayout} from '../../src/codegen/probe/image-layout.js';
import {readProbe} from '../../src/codegen/probe/probe-object.js';
import {generateProbe} from '../../src/codegen/probe/probe-source.js';
import {LAYOUTS_FOLDER, RUNTIME_FOLDER} from '../../src/fs/package-files.js';
import type {Result} from '../../src/model/result.js';
import {layoutOf} from './fake-toolchain.js';

export const MODEL_FLAGS: Readonly<Record<AddressModel, readonly string[]>> = {
  absolute: ['-fno-pie'],
  'position-independent': ['-fPIC', '-DFF_POSITION_INDEPENDENT=1'],
};

/** The directory of a Python's headers. */
export function headersOf(python: string): string {
  const code = 'import sysconfig; print(sysconfig.get_path("include"))';
  return execFileSync(python, ['-c', code], {encoding: 'utf8'}).trim();
}

export function wellKnownOf(include: string): WellKnownStrings {
  const header = join(include, 'internal', 'pycore_global_strings.h');
  return parseWellKnownStrings(existsSync(header) ? readFileSync(header, 'utf8') : '');
}

/**
 * Compiles the probe of a series against headers, and reads it.
 * @param folder for the files; @param compiler a command line; throws what the compiler says when it fails
 */
export function measureLayout(
  series: string,
  include: string,
  model: AddressModel,
  folder: string,
  compiler: readonly [string, ...string[]] = ['gcc'],
): Result<ImageLayout> {
  const layout = layoutOf(series);
  const wellKnown = wellKnownOf(include);
  const isPositionIndependent = model === 'position-independent';
  const [source, object] = [join(folder, `probe-${model}.c`), join(folder, `probe-${model}.o`)];
  writeFileSync(source, generateProbe(layout, wellKnown, isPositionIndependent));
  compileProbe(source, object, include, model, compiler);
  return readProbe(readFileSync(object), layout, wellKnown, isPositionIndependent);
}

/** Compiles a probe's C against headers; throws what the compiler says when it fails. */
export function compileProbe(
  source: string,
  object: string,
  include: string,
  model: AddressModel,
  [program, ...words]: readonly [string, ...string[]] = ['gcc'],
): void {
  const headers = [include, join(include, 'internal'), RUNTIME_FOLDER, LAYOUTS_FOLDER].map(
    (each) => `-I${each}`,
  );
  const flags = [...MODEL_FLAGS[model], '-w', '-O0', '-fvisibility=hidden'];
  execFileSync(program, [...words, ...flags, ...headers, '-c', source, '-o', object], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
}
