import {spawn, type ChildProcess} from 'node:child_process';
import {readdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {buildSync} from 'esbuild';

const REPOSITORY = resolve(import.meta.dirname, '../..');
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

let scripts = 0;

/**
 * Runs a script as a Node of its own; the script's relative imports start in the directory of `compileRooms`. Each call writes a
 * file of its own: a process that was started before may still be about to read the last one.
 */
export function runScript(folder: string, name: string, script: string, args: string[] = []): ChildProcess {
  const path = join(folder, `${name}-${(scripts += 1)}.mjs`);
  writeFileSync(path, script);
  return spawn(process.execPath, [path, ...args], {cwd: folder, stdio: ['ignore', 'pipe', 'ignore']});
}
