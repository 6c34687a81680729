/**
 * The same sources give the same images, byte for byte: compiled with another hash seed, in another order, in another directory,
 * all modules of the standard library and its tests, in both address models.
 *
 *     node test/conformance/run.mjs regeneration [--on '3.10 3.14']
 */
import {execFileSync} from 'node:child_process';
import {cpSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import type {AddressModel} from '../../../src/codegen/address-model.js';
import {generateImage} from '../../../src/codegen/image.js';
import type {Layout} from '../../../src/codegen/layout.js';
import {writeElf} from '../../../src/codegen/object-file/write-elf.js';
import type {ImageLayout} from '../../../src/codegen/probe/image-layout.js';
import {startWorkers} from '../../../src/cpython/interpreter/worker.js';
import {scrubbedEnvironment} from '../../../src/exec/environment.js';
import {digestOf} from '../../../src/model/digest.js';
import {makeDirectory} from '../../../support/make-directory.js';
import {PACKAGE} from '../../../support/rig.js';
import {NEWER_SERIES, newerDebianRoot, runInRoot} from '../../../support/debian-root.js';
import {findPythons} from '../../../support/pythons.js';
import {gateOptions, say} from '../../../support/gate-options.js';
import {layoutOf} from '../../support/fake-toolchain.js';
import {measureLayout} from '../../support/image-layouts.js';

/**
 * The images of what CPython freezes itself keep the marshal bytes, too. Those of other modules may depend on what the process
 * compiled before: 3.10 writes a frozenset in the order of its table, and since 3.14 a string is marked as interned or not.
 */
const ALWAYS_FROZEN = ['zipimport', 'importlib._bootstrap', 'importlib._bootstrap_external'];

interface Library {
  readonly folder: string;
  readonly layout: Layout;
  readonly imageLayouts: readonly (readonly [AddressModel, ImageLayout])[];
  /** What CPython freezes itself. */
  readonly frozen: readonly string[];
}

export async function gate(words: readonly string[]): Promise<boolean> {
  const options = gateOptions(words, {values: ['on', 'python']});
  const python = options.values['python'];
  if (python !== undefined) return check(python);
  const asked = options.values['on']?.split(/[\s,]+/);
  const isAsked = (series: string): boolean => asked === undefined || asked.includes(series);
  const pythons = findPythons();
  const known: readonly string[] = [...pythons.map(({series}) => series), ...NEWER_SERIES];
  const strange = asked?.find((series) => !known.includes(series));
  if (strange !== undefined) throw new Error(`no Python ${strange}: there are ${known.join(', ')}`);
  let isGood = true;
  for (const found of pythons.filter(({series}) => isAsked(series)))
    isGood = (await check(found.python)) && isGood;
  const newer = NEWER_SERIES.filter(isAsked);
  const root = newer.length > 0 ? await newerDebianRoot() : undefined;
  if (root !== undefined)
    for (const series of newer) isGood = (await checkInRoot(root, `/usr/bin/python${series}`)) && isGood;
  return isGood;
}

/** In the root of a newer Debian this gate runs as a whole: the workers have to. */
async function checkInRoot(root: string, python: string): Promise<boolean> {
  const [gateFile = '', words] = [process.env['FLASHFREEZE_BUNDLE'], JSON.stringify(['--python', python])];
  const code = `import(${JSON.stringify(gateFile)}).then(async ({gate}) => process.exit((await gate(${words})) ? 0 : 1))`;
  const done = await runInRoot(root, ['node', '-e', code], {binds: {[PACKAGE]: 'read'}});
  if (!done.ok) throw new Error(done.failure.message);
  say((done.value.stdout + done.value.stderr).trim());
  return done.value.exitCode === 0;
}

async function check(python: string): Promise<boolean> {
  const place = makeDirectory('regeneration');
  try {
    const library = describe(python, place);
    const files = readdirSync(library.folder, {recursive: true, withFileTypes: true})
      .filter((entry) => entry.isFile() && entry.name.endsWith('.py'))
      .map((entry) => relative(library.folder, join(entry.parentPath, entry.name)))
      .filter((file) => !/(^|\/)(site|dist)-packages\//.test(file))
      .sort();
    const first = await generateAll(python, '0', files, library, join(place, 'one'));
    const copy = join(place, 'library');
    cpSync(library.folder, copy, {
      recursive: true,
      dereference: true,
      filter: (path) => !/\/((site|dist)-packages|__pycache__|lib-dynload)$/.test(path),
    });
    // An order that has nothing to do with the first: by the digest of the names.
    const shuffled = [...files].sort((a, b) => (digestOf(a) < digestOf(b) ? -1 : 1));
    const again = await generateAll(python, '4711', shuffled, {...library, folder: copy}, join(place, 'two'));
    const different = [...first].filter(([file, digest]) => again.get(file) !== digest).map(([file]) => file);
    for (const file of different) say(`  DIFFERENT: ${file}`);
    say(`${python}: ${first.size} modules, of ${files.length} files, ${different.length} different`);
    return different.length === 0 && first.size > 1000;
  } finally {
    rmSync(place, {recursive: true, force: true});
  }
}

function describe(python: string, place: string): Library {
  const code =
    'import sys, os, sysconfig, _imp; print("%d.%d" % sys.version_info[:2], os.path.dirname(os.__file__), ' +
    'sysconfig.get_path("include"), *getattr(_imp, "_frozen_module_names", list)(), sep="\\n")';
  const answer = execFileSync(python, ['-B', '-I', '-c', code], {encoding: 'utf8'});
  const [series = '', folder = '', include = '', ...names] = answer.trim().split('\n');
  const imageLayouts = (['absolute', 'position-independent'] as const).map((model) => {
    const measured = measureLayout(series, include, model, place);
    if (!measured.ok) throw new Error(measured.failure.message);
    return [model, measured.value] as const;
  });
  return {folder, layout: layoutOf(series), imageLayouts, frozen: [...ALWAYS_FROZEN, ...names]};
}

/** The digest of each module's image, in both models; without those that do not compile (test data that must not). */
async function generateAll(
  python: string,
  hashSeed: string,
  files: readonly string[],
  {folder, layout, imageLayouts, frozen}: Library,
  place: string,
): Promise<ReadonlyMap<string, string>> {
  // Workers are always given hash seed 0: a program in between says otherwise.
  const seeded = `${place}-python`;
  writeFileSync(seeded, `#!/bin/sh\nPYTHONHASHSEED=${hashSeed} exec "${python}" "$@"\n`, {mode: 0o755});
  const {signal} = new AbortController();
  const workers = startWorkers({python: seeded, environment: scrubbedEnvironment(), signal, count: 1});
  const digests = new Map<string, string>();
  try {
    for (const file of files) {
      const unit = `${place}.unit`;
      const compiled = await workers.compile({
        ...{source: join(folder, file), filename: file, optimize: 0},
        ...{output: unit, importsOutput: `${place}.imports`},
      });
      if (!compiled.ok) continue;
      const module = file.replace(/(\/__init__)?\.py$/, '').replaceAll('/', '.');
      const images = imageLayouts.map(([addressModel, imageLayout]) => {
        const image = generateImage({
          ...{module, unit: readFileSync(unit), layout},
          ...{imageLayout, addressModel, pathPlaceholder: file},
          keepMarshal: frozen.includes(module),
        });
        return image.ok
          ? digestOf(writeElf(image.value, imageLayout.machine))
          : `${image.failure.code}: ${image.failure.message}`;
      });
      digests.set(file, images.join(' '));
    }
  } finally {
    await workers.stop();
  }
  return digests;
}
