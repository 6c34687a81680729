import {mkdir, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {runProcess} from '../../exec/process.js';
import {withTemporaryFolder} from '../../fs/temporary-folder.js';
import {ok} from '../../model/result.js';
import type {ConditionsRun} from './conditions.js';
import type {TarEntry} from '../archive/tar.js';

/** The limits for its output on one file, in bytes and in milliseconds. */
const MAX_BYTES = 8000;
const TIMEOUT_MS = 60_000;

/** The output of diffoscope for two files; undefined where it is not installed, or takes too long. */
export async function diffoscopeView(
  a: TarEntry,
  b: TarEntry,
  run: ConditionsRun,
): Promise<string | undefined> {
  if ('link' in a.content || 'link' in b.content) return undefined;
  const contents = {first: a.content, second: b.content};
  const view = await withTemporaryFolder('difference', async (folder) => {
    const places: string[] = [];
    for (const [name, content] of Object.entries(contents)) {
      await mkdir(join(folder, name));
      const place = join(folder, name, basename(a.path));
      await writeFile(place, content);
      places.push(place);
    }
    const quiet = ['--no-progress', '--exclude-directory-metadata', 'yes'];
    const done = await runProcess({
      file: 'diffoscope',
      args: [...quiet, '--max-text-report-size', String(MAX_BYTES), '--text', '-', ...places],
      cwd: folder,
      timeoutMs: TIMEOUT_MS,
      ...run,
    });
    // It ends with 1 where there are differences.
    const isView = done.ok && done.value.exitCode <= 1;
    return ok(isView ? done.value.stdout.replaceAll(`${folder}/`, '') : undefined);
  });
  return view.ok ? view.value : undefined;
}
