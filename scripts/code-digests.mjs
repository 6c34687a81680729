import {readdirSync} from 'node:fs';
import {join, relative, resolve} from 'node:path';
import {build} from 'esbuild';
import {digestOf} from './bundle-record.mjs';
import {createSourceTexts} from './source-texts.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCES = join(ROOT, 'src');

/** The parts of the program that shape results without being among the inputs of actions: directories and files of src/. */
const PARTS = {
  FLASHFREEZE_GENERATOR: ['codegen'],
  FLASHFREEZE_READERS: [
    'cpython/build/compiler.ts',
    'cpython/interpreter',
    'pipeline/modules',
    'pipeline/prepared',
  ],
  FLASHFREEZE_LINKING: [
    'hosts/link',
    'cpython/interpreter/overlay-check.ts',
    'cpython/interpreter/try-images.ts',
  ],
};

/**
 * What identifies these parts: for each the digest of its compiled code, with everything that it imports. Comments and layout do
 * not count. Whoever compiles the program defines them as constants: src/codegen/generator-identity.ts,
 * src/pipeline/reader-identity.ts and src/hosts/link/linking-identity.ts declare them.
 * @returns {Promise<Record<keyof typeof PARTS, string>>}
 */
export async function codeDigests(texts = createSourceTexts()) {
  const digests = Object.entries(PARTS).map(async ([name, places]) => [
    name,
    await digestOfPart(places, texts),
  ]);
  return Object.fromEntries(await Promise.all(digests));
}

async function digestOfPart(places, texts) {
  const {outputFiles} = await build({
    absWorkingDir: ROOT,
    entryPoints: places.flatMap(filesOf),
    outdir: SOURCES,
    outbase: SOURCES,
    write: false,
    bundle: true,
    // What several of the files import is written once.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    plugins: [texts.plugin],
    logLevel: 'warning',
  });
  const lines = outputFiles.map(({path, contents}) => `${relative(SOURCES, path)} ${digestOf(contents)}\n`);
  return digestOf(lines.sort().join(''));
}

function filesOf(place) {
  if (place.endsWith('.ts')) return [join(SOURCES, place)];
  return readdirSync(join(SOURCES, place), {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(SOURCES, place, name));
}

/** The same as esbuild's `define` takes it. */
export async function codeDefinitions(texts) {
  const digests = await codeDigests(texts);
  return Object.fromEntries(Object.entries(digests).map(([name, digest]) => [name, JSON.stringify(digest)]));
}
