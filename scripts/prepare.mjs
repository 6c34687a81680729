// Makes a checkout runnable: installs what package-lock.json names, and compiles src/ to dist/. Does only what is
// needed, says one line about each thing that it does, and nothing else.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
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
    return (!compile && isCompiled()) || compileSources();
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

/**
 * Not `npm ci`: it refuses a lock file that lacks the optional packages of other platforms, which is what npm writes
 * where a registry does not have them. Versions and digests are those of the lock file either way.
 */
function install() {
  say('installing dependencies (npm install)');
  const options = ['--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync('npm', ['install', ...options], {cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit']});
  if (done.status !== 0) {
    const why = done.error === undefined ? `exit code ${done.status ?? done.signal}` : done.error.message;
    say(`the dependencies could not be installed: npm install failed (${why})`);
    return false;
  }
  writeFileSync(INSTALLED, digest(readFileSync(at('package-lock.json'))));
  return true;
}

function isCompiled() {
  return read(COMPILED) === sourcesDigest();
}

function compileSources() {
  say('compiling TypeScript');
  const sources = sourcesDigest();
  rmSync(COMPILED, {force: true});
  const compiler = at('node_modules', 'typescript', 'bin', 'tsc');
  const done = spawnSync(process.execPath, [compiler, '-p', at('tsconfig.json')], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (done.status !== 0) {
    say('src/ does not compile');
    return false;
  }
  removeStale();
  writeFileSync(COMPILED, sources);
  return true;
}

/** The names of the TypeScript files, relative to src/. */
function sourceNames() {
  return readdirSync(at('src'), {recursive: true}).filter((name) => name.endsWith('.ts'));
}

function sourcesDigest() {
  const hash = createHash('sha256');
  for (const name of [
    'tsconfig.json',
    ...sourceNames()
      .sort()
      .map((name) => join('src', name)),
  ]) {
    hash.update(`${name}\0${digest(readFileSync(at(name)))}\n`);
  }
  return hash.digest('hex');
}

/** The compiler leaves what it made of files that are gone. */
function removeStale() {
  const names = new Set(sourceNames().map((name) => name.slice(0, -'.ts'.length)));
  for (const name of readdirSync(at('dist'), {recursive: true})) {
    const base = /^(.*)\.js(\.map)?$/.exec(name)?.[1];
    if (base !== undefined && !names.has(base)) rmSync(at('dist', name));
  }
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
