/** Programs of a test's own that use modules of `src`, each in a process of its own. */
import {spawn, type ChildProcess} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {buildSync} from 'esbuild';

const SOURCES = resolve(import.meta.dirname, '../../src');
/** Some dependencies are CommonJS and require() what Node has built in. */
const BANNER =
  "import {createRequire as ffRequire} from 'node:module'; const require = ffRequire(import.meta.url);";

const bundles = new Map<string, string>();
let count = 0;

/**
 * Bundles a script with the modules that it imports, by paths relative to `src`, so that it starts fast and wherever it lies.
 * Each call writes a file of its own: a process that was started before may still be about to read the last one.
 * @returns the path of the bundle
 */
export function writeScript(folder: string, name: string, script: string): string {
  const path = join(folder, `${name}-${(count += 1)}.mjs`);
  writeFileSync(path, bundle(script));
  return path;
}

/** Runs a script, bundled, as a Node of its own in the directory. */
export function runScript(
  folder: string,
  name: string,
  script: string,
  args: readonly string[] = [],
): ChildProcess {
  return spawn(process.execPath, [writeScript(folder, name, script), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function bundle(script: string): string {
  const known = bundles.get(script);
  if (known !== undefined) return known;
  const {outputFiles} = buildSync({
    stdin: {contents: script, resolveDir: SOURCES},
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: {js: BANNER},
    logLevel: 'warning',
  });
  const text = outputFiles.map((file) => file.text).join('');
  bundles.set(script, text);
  return text;
}
