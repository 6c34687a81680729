// Runs TypeScript that is no part of the program: the parts of the proof, the suites of the benchmark. Each is a file of a
// directory, chosen by its name, and bundled two levels below the package, as the program itself is.
import {existsSync, mkdirSync, readdirSync} from 'node:fs';
import {join, relative, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {prepare} from './prepare.mjs';
import {createSourceTexts} from './source-texts.mjs';

const ROOT = resolve(import.meta.dirname, '..');

/**
 * Runs the file that the command line names: its function `entry` gets the rest of the words. Where that gives false or fails,
 * the exit code is 1.
 * @param {{folder: string, script: string, entry: string}} request `folder` holds the files, `script` is what the user runs
 */
export async function runNamed({folder, script, entry}) {
  const [name = '', ...words] = process.argv.slice(2);
  if (!/^[a-z-]+$/.test(name) || !existsSync(join(folder, `${name}.ts`))) {
    const names = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''));
    console.error(`usage: node ${relative(ROOT, script)} <${names.join(' | ')}> [options]`);
    process.exitCode = 2;
    return;
  }
  process.exitCode = 1;
  if (!(await prepare())) return;
  const bundled = await bundle(folder, name);
  // What has to run somewhere else, as a whole, finds itself there.
  process.env.FLASHFREEZE_BUNDLE = bundled;
  try {
    const {[entry]: run} = await import(pathToFileURL(bundled));
    if ((await run(words)) !== false) process.exitCode = 0;
  } catch (error) {
    console.error(error);
  }
}

/** `import.meta.dirname` stays that of the source file: sources find what lies beside them. */
const ownFolder = (texts) => ({
  name: 'own-folder',
  setup(build) {
    build.onLoad({filter: /\.ts$/}, ({path}) => {
      const text = texts.read(path).contents;
      const folder = JSON.stringify(resolve(path, '..'));
      return {
        contents: text
          .replaceAll('import.meta.dirname', folder)
          .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
        loader: 'ts',
      };
    });
  },
});

/** Returns the path of the bundle. */
async function bundle(folder, name) {
  const {build} = await import('esbuild');
  const {codeDefinitions} = await import('./code-digests.mjs');
  const texts = createSourceTexts();
  const bundles = join(ROOT, '.flashfreeze', folder.split('/').at(-1));
  const outfile = join(bundles, `${name}.mjs`);
  mkdirSync(bundles, {recursive: true});
  await build({
    entryPoints: [join(folder, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
    define: await codeDefinitions(texts),
    plugins: [ownFolder(texts)],
  });
  return outfile;
}
