import {readLastRun} from '../engine/records/last-run.js';
import {type History, readHistory} from '../engine/records/history.js';
import {defaultBuildDir} from '../pipeline/default-build-dir.js';
import {fail, ok, type Result} from '../model/result.js';
import type {Session} from './command.js';

/**
 * The history of a build directory: that of --build-dir, else the one that relink, overlay or snapshot made by itself
 * for --python (or --source) and --out. Fails with USAGE when none is given or nothing was built there.
 */
export async function historyOf({invocation, context}: Session): Promise<Result<History>> {
  const {command, options} = invocation;
  const {'build-dir': buildDir, source, python = source, out} = options;
  if (buildDir === undefined && (python === undefined || out === undefined)) {
    return fail('USAGE', `${command} needs --build-dir DIR, or --python EXE and --out PATH`, {
      hint: 'pass the options of the build, on the command line or in flashfreeze.config.json',
    });
  }
  const folder = buildDir ?? (await newest(python ?? '', out ?? '', context.cacheDir));
  const history = folder === undefined ? undefined : await readHistory(folder);
  if (history !== undefined) return ok(history);
  const what = buildDir ?? `${out ?? ''} with ${python ?? ''}`;
  return fail('USAGE', `no build of ${what} found`, {
    hint: 'build it first, with the same --build-dir, or the same --python or --source, --out and --cache-dir',
  });
}

/** An overlay and a relinked executable may have had the same path one after the other. */
async function newest(python: string, out: string, cacheDir: string): Promise<string | undefined> {
  const folders = (['relink', 'overlay', 'snapshot'] as const).map((kind) =>
    defaultBuildDir(kind, {python, out}, cacheDir),
  );
  const runs = await Promise.all(folders.map(async (folder) => ({folder, last: await readLastRun(folder)})));
  const found = runs.flatMap(({folder, last}) => (last === undefined ? [] : [{folder, run: last.run}]));
  return found.sort((a, b) => (a.run < b.run ? 1 : -1))[0]?.folder;
}
