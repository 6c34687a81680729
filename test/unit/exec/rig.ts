import {spawn, type ChildProcess} from 'node:child_process';
import {readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {buildSync} from 'esbuild';

/** Asks again and again until the answer is yes; gives up after `limitMs` (only a broken program gets there). */
export async function eventually(holds: () => boolean, limitMs = 15_000): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > end) return false;
    await new Promise((wake) => setTimeout(wake, 5));
  }
  return true;
}

/** Whether a process runs (a zombie, which only waits to be noticed, does not). */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3));
  } catch {
    return false;
  }
}

const REPOSITORY = resolve(import.meta.dirname, '../../..');
const ROOMS = ['model', 'fs', 'exec', 'cache', 'engine'];

/** Compiles the rooms into a directory, so that processes of their own can run them. Returns the directory that holds the rooms. */
export function compileRooms(folder: string): string {
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  const sources = ROOMS.flatMap((room) =>
    readdirSync(join(REPOSITORY, 'src', room), {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(REPOSITORY, 'src', room, name)),
  );
  buildSync({
    entryPoints: sources,
    outdir: folder,
    outbase: join(REPOSITORY, 'src'),
    format: 'esm',
    target: 'node20',
  });
  return folder;
}

/** Runs a script as a Node of its own; the script's relative imports start in the directory of `compileRooms`. */
export function runScript(folder: string, name: string, script: string, args: string[] = []): ChildProcess {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, script);
  return spawn(process.execPath, [path, ...args], {cwd: folder, stdio: ['ignore', 'pipe', 'ignore']});
}

/** The exit code and signal of a child, once it has ended. */
export function ending(
  child: ChildProcess,
): Promise<{readonly code: number | null; readonly signal: string | null}> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({code: child.exitCode, signal: child.signalCode});
  }
  return new Promise((done) => {
    child.once('exit', (code, signal) => {
      done({code, signal});
    });
  });
}
