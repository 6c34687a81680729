// Makes a checkout runnable: installs what package-lock.json names, and compiles src/ to dist/. Does only what is
// needed, says one line about each thing that it does, and nothing else.
import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {findStaleness} from './bundle-record.mjs';
import {takeLock} from './lock.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(ROOT, ...parts);

/** What node_modules was installed from. */
const INSTALLED = at('node_modules', '.flashfreeze-lock');

const say = (text) => process.stderr.write(`flashfreeze: ${text}\n`);

/**
 * Installs and compiles as far as needed.
 * @param {{compile?: boolean, maps?: boolean}} [options] `compile`: compiles even when nothing changed; `maps`: with source maps
 * @returns {Promise<boolean>} whether the checkout can be used
 */
export async function prepare({compile = false, maps = true} = {}) {
  if (!compile && isInstalled() && isCompiled()) return true;
  const release = await takeLock(at('.flashfreeze', 'prepare'), (holder) => {
    say(`waiting for process ${holder}, which sets up this checkout`);
  });
  try {
    if (!isInstalled() && !(await install())) return false;
    return (!compile && isCompiled()) || (await compileSources(maps));
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

async function install() {
  say('installing dependencies (npm ci)');
  const options = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const why = await runToEnd('npm', ['ci', ...options]);
  if (why !== undefined) {
    say(`the dependencies could not be installed: npm ci failed (${why})`);
    return false;
  }
  writeFileSync(INSTALLED, digest(readFileSync(at('package-lock.json'))));
  return true;
}

/**
 * Runs a program, and passes signals on to it, so that it does not go on in the background.
 * @returns {Promise<string | undefined>} how it failed, if it did
 */
async function runToEnd(file, args) {
  const child = spawn(file, args, {cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit']});
  const pass = (signal) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, pass);
  const why = await new Promise((done) => {
    child.once('error', (error) => done(error.message));
    child.once('exit', (code, signal) => done(code === 0 ? undefined : `exit code ${code ?? signal}`));
  });
  for (const signal of signals) process.off(signal, pass);
  return why;
}

function isCompiled() {
  return findStaleness() === undefined;
}

async function compileSources(maps) {
  say('compiling TypeScript');
  // Not before the dependencies are installed, of which it is one.
  const {bundle} = await import('./bundle.mjs');
  const problems = await bundle({maps});
  for (const problem of problems) say(problem);
  return problems.length === 0;
}

function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const has = (option) => process.argv.includes(option);
  if (!(await prepare({compile: has('--build'), maps: !has('--no-maps')}))) process.exitCode = 1;
}
