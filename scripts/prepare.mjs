// Makes a checkout runnable: installs what package-lock.json names, and compiles src/ to dist/. Does only what is
// needed, says one line about each thing that it does, and nothing else.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {takeLock} from './lock.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(ROOT, ...parts);

/** What node_modules was installed from, and what dist was compiled from. */
const INSTALLED = at('node_modules', '.flashfreeze-lock');
const COMPILED = at('dist', '.flashfreeze-sources');

const say = (text) => process.stderr.write(`flashfreeze: ${text}\n`);

/**
 * Installs and compiles as far as needed.
 * @param {{compile?: boolean}} [options] `compile`: compiles even when nothing changed
 * @returns {Promise<boolean>} whether the checkout can be used
 */
export async function prepare({compile = false} = {}) {
  if (!compile && isInstalled() && isCompiled()) return true;
  const release = await takeLock(at('.flashfreeze', 'prepare'), (holder) => {
    say(`waiting for process ${holder}, which sets up this checkout`);
  });
  try {
    if (!isInstalled() && !install()) return false;
    return (!compile && isCompiled()) || (await compileSources());
  } finally {
    release();
  }
}

function isInstalled() {
  const wanted = digest(readFileSync(at('package-lock.json')));
  const found = read(INSTALLED);
  if (found === undefined && isInstalledByNpm()) {
    writeFileSync(INSTALLED, wanted);
    return true;
  }
  return found === wanted;
}

/** Whether somebody installed the very packages with npm itself, which writes down what it installed. */
function isInstalledByNpm() {
  const installed = JSON.parse(read(at('node_modules', '.package-lock.json')) ?? '{}').packages ?? {};
  const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, {integrity, optional}]) =>
      path === '' || (installed[path] ? installed[path].integrity === integrity : optional === true),
  );
}

function install() {
  say('installing dependencies (npm ci)');
  const options = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync('npm', ['ci', ...options], {cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit']});
  if (done.status !== 0) {
    const why = done.error === undefined ? `exit code ${done.status ?? done.signal}` : done.error.message;
    say(`the dependencies could not be installed: npm ci failed (${why})`);
    return false;
  }
  writeFileSync(INSTALLED, digest(readFileSync(at('package-lock.json'))));
  return true;
}

function isCompiled() {
  return read(COMPILED) === sourcesDigest();
}

/**
 * Bundles src/ with what it depends on: a start reads a handful of files instead of hundreds. Types are not checked here.
 * Every bundle lies two folders below the package, as its sources do, so that both find the package's other files.
 */
async function compileSources() {
  say('compiling TypeScript');
  const sources = sourcesDigest();
  // Beside the old one, which may be running, and may load more of itself later.
  rmSync(at('dist.new'), {recursive: true, force: true});
  const {build} = await import('esbuild');
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: ['src/cli/main.ts', 'src/api/api.ts'],
      outdir: 'dist.new',
      outbase: 'src',
      chunkNames: 'chunks/[name]-[hash]',
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      sourcemap: 'linked',
      sourcesContent: false,
      minifySyntax: true,
      minifyWhitespace: true,
      plugins: [withoutTranslations, plainWidths],
      logLevel: 'warning',
      // Some dependencies are CommonJS and require() what Node has built in.
      banner: {
        js: "import {createRequire as ffRequire} from 'node:module'; const require = ffRequire(import.meta.url);",
      },
    });
  } catch {
    say('src/ does not compile');
    return false;
  }
  const {writeDeclarations} = await import('./declarations.mjs');
  const {problems} = writeDeclarations(at('dist.new', 'types'));
  for (const problem of problems) say(problem);
  if (problems.length > 0) return false;
  writeFileSync(at('dist.new', '.flashfreeze-sources'), sources);
  rmSync(at('dist'), {recursive: true, force: true});
  renameSync(at('dist.new'), at('dist'));
  return true;
}

/** zod brings its messages in fifty languages, half of all that a start would read. Ours are English. */
const withoutTranslations = {
  name: 'without-translations',
  setup(build) {
    build.onLoad({filter: /zod\/v4\/locales\/index\.js$/}, () => ({
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
  setup(build) {
    build.onLoad({filter: /\/node_modules\/string-width\/index\.js$/}, () => ({
      contents: 'export default (text) => text.length;',
    }));
  },
};

/** The names of the TypeScript files, relative to src/. */
function sourceNames() {
  return readdirSync(at('src'), {recursive: true}).filter((name) => name.endsWith('.ts'));
}

function sourcesDigest() {
  const hash = createHash('sha256');
  for (const name of [
    'scripts/prepare.mjs',
    'scripts/declarations.mjs',
    'package-lock.json',
    ...sourceNames()
      .sort()
      .map((name) => join('src', name)),
  ]) {
    hash.update(`${name}\0${digest(readFileSync(at(name)))}\n`);
  }
  return hash.digest('hex');
}

function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!(await prepare({compile: process.argv.includes('--build')}))) process.exitCode = 1;
}
