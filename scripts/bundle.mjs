// Compiles src/ to dist/.
import {renameSync, rmSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {build} from 'esbuild';
import {writeRecord} from './bundle-record.mjs';
import {writeDeclarations} from './declarations.mjs';
import {codeDefinitions} from './code-digests.mjs';
import {noticesOf} from './notices.mjs';
import {createSourceTexts} from './source-texts.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const at = (...parts) => join(ROOT, ...parts);

/** What shapes a bundle besides the sources. */
const OTHERS = [
  'package-lock.json',
  'tsconfig.json',
  ...['bundle', 'bundle-record', 'declarations', 'code-digests', 'notices', 'source-texts'].map(
    (name) => `scripts/${name}.mjs`,
  ),
].map((name) => at(name));

/**
 * Bundles src/ with what it depends on: a start reads a handful of files instead of hundreds. Types are not checked here.
 * Every bundle lies two directories below the package, as its sources do, so that both find the package's other files.
 * @param {{maps?: boolean}} options `maps`: writes source maps, which the published package does without
 * @returns {Promise<readonly string[]>} what is wrong with src/; nothing when all is well
 */
export async function bundle({maps = true} = {}) {
  const texts = createSourceTexts();
  for (const path of OTHERS) texts.read(path);
  // Beside the old one, which may be running, and may load more of itself later.
  rmSync(at('dist.new'), {recursive: true, force: true});
  let inputs;
  let metafile;
  try {
    const options = {
      absWorkingDir: ROOT,
      outdir: 'dist.new',
      outbase: 'src',
      bundle: true,
      metafile: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      define: await codeDefinitions(texts),
      sourcemap: maps && 'linked',
      sourcesContent: false,
      minifySyntax: true,
      minifyWhitespace: true,
      // They go into one file of their own.
      legalComments: 'none',
      plugins: [withoutTranslations, plainWidths, withoutProtoLoader, texts.plugin],
      logLevel: 'warning',
      // Some dependencies are CommonJS and require() what Node has built in.
      banner: {
        js: "import {createRequire as ffRequire} from 'node:module'; const require = ffRequire(import.meta.url);",
      },
    };
    ({metafile} = await build({
      ...options,
      entryPoints: ['src/cli/main.ts', 'src/api/api.ts'],
      chunkNames: 'chunks/[name]-[hash]',
      splitting: true,
    }));
    // One file: an engine that executes actions on other machines puts each input in place for each action.
    const steps = await build({...options, entryPoints: ['src/cli/run-step.ts']});
    inputs = {...metafile.inputs, ...steps.metafile.inputs};
  } catch {
    return ['src/ does not compile'];
  }
  const declarations = writeDeclarations(at('dist.new', 'types'));
  if (declarations.problems.length > 0) return declarations.problems;
  const {schema, sources: ofSchema} = await configSchema();
  writeFileSync(at('dist.new', 'config.schema.json'), `${JSON.stringify(schema, null, 2)}\n`);
  const bundled = [...Object.keys(inputs), ...ofSchema].filter((name) => name.startsWith('src/'));
  const sources = new Set([...bundled, ...declarations.sources].map((name) => at(name)));
  writeRecord(at('dist.new'), [...OTHERS, ...sources], texts);
  writeFileSync(at('dist.new', 'third-party-notices.txt'), noticesOf(metafile, ROOT));
  rmSync(at('dist'), {recursive: true, force: true});
  renameSync(at('dist.new'), at('dist'));
  return [];
}

/** The JSON schema of configuration files, and what it is made of. It is no part of the program. */
async function configSchema() {
  const {outputFiles, metafile} = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/cli/args/config-json-schema.ts'],
    outdir: 'dist.new',
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    plugins: [withoutTranslations],
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  const {configJsonSchema} = await import(`data:text/javascript;base64,${code}`);
  return {schema: configJsonSchema(), sources: Object.keys(metafile.inputs)};
}

/** zod brings its messages in fifty languages, half of all that a start would read. Ours are English. */
const withoutTranslations = {
  name: 'without-translations',
  setup({onLoad}) {
    onLoad({filter: /zod\/v4\/locales\/index\.js$/}, () => ({
      contents: "export {default as en} from './en.js';",
    }));
  },
};

/**
 * What yargs measures help texts with makes an Intl.Segmenter and tables of emoji at every start, a third of the time that a
 * command line takes to read. Our texts are ASCII.
 */
const plainWidths = {
  name: 'plain-widths',
  setup({onLoad}) {
    onLoad({filter: /\/node_modules\/string-width\/index\.js$/}, () => ({
      contents: 'export default (text) => text.length;',
    }));
  },
};

/**
 * What grpc-js reads .proto files with is half of its code. It does so for services that servers offer (channelz, ORCA) and on request,
 * and this program has messages that were generated.
 */
const withoutProtoLoader = {
  name: 'without-proto-loader',
  setup({onLoad}) {
    onLoad({filter: /\/node_modules\/@grpc\/proto-loader\/.*\.js$/}, () => ({contents: ''}));
  },
};
