// One command for each part of the proof:
//
//     node test/conformance/run.mjs                      says which there are
//     node test/conformance/run.mjs whole-suite --on relink-3.12
//
// The parts are TypeScript: they are bundled into a folder two levels below the package, as the program itself is.
import {existsSync, mkdirSync, readdirSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');
const GATES = join(import.meta.dirname, 'gates');
const [name = '', ...words] = process.argv.slice(2);

/** `import.meta.dirname` stays that of the source file. */
const ownFolder = {
  name: 'own-folder',
  setup(build) {
    build.onLoad({filter: /\.ts$/}, async ({path}) => {
      const text = await readFile(path, 'utf8');
      const folder = JSON.stringify(resolve(path, '..'));
      return {
        contents: text
          .replaceAll('import.meta.dirname', folder)
          .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
        loader: 'ts',
      };
    });
  },
};

if (!/^[a-z-]+$/.test(name) || !existsSync(join(GATES, `${name}.ts`))) {
  const names = readdirSync(GATES).map((file) => file.replace(/\.ts$/, ''));
  console.error(`usage: node test/conformance/run.mjs <${names.join(' | ')}> [options]`);
  process.exitCode = 2;
} else {
  const {prepare} = await import('../../scripts/prepare.mjs');
  if (!(await prepare())) process.exitCode = 1;
  else {
    // A gate that has to run somewhere else, as a whole, finds itself there.
    process.env.FLASHFREEZE_GATE = await bundle(name);
    const {gate} = await import(pathToFileURL(process.env.FLASHFREEZE_GATE));
    process.exitCode = (await gate(words)) ? 0 : 1;
  }
}

/** Returns the path of the bundle. */
async function bundle(gate) {
  const {build} = await import('esbuild');
  const folder = join(ROOT, '.flashfreeze', 'gates');
  const outfile = join(folder, `${gate}.mjs`);
  mkdirSync(folder, {recursive: true});
  await build({
    entryPoints: [join(GATES, `${gate}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
    // Sources find what lies beside them: each has the folder that it was in.
    plugins: [ownFolder],
  });
  return outfile;
}
