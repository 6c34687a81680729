import {readdirSync} from 'node:fs';
import {join, relative, resolve} from 'node:path';
import {build} from 'esbuild';
import {digestOf} from './bundle-record.mjs';
import {createSourceTexts} from './source-texts.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const GENERATOR = join(ROOT, 'src', 'codegen');

/**
 * What identifies the code generator: the digest of its compiled code, with everything that it imports. Comments and layout do
 * not count. Whoever compiles the program gives it to src/codegen/generator-identity.ts as FLASHFREEZE_GENERATOR.
 */
export async function generatorDigest(texts = createSourceTexts()) {
  const {outputFiles} = await build({
    absWorkingDir: ROOT,
    entryPoints: readdirSync(GENERATOR, {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(GENERATOR, name)),
    outdir: GENERATOR,
    outbase: GENERATOR,
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    plugins: [texts.plugin],
    logLevel: 'warning',
  });
  const lines = outputFiles.map(({path, contents}) => `${relative(GENERATOR, path)} ${digestOf(contents)}\n`);
  return digestOf(lines.sort().join(''));
}
