import {mkdir, mkdtemp, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {removeTree} from '../../fs/removal.js';
import {runProcess} from '../../exec/process.js';
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
  const folder = await mkdtemp(join(tmpdir(), 'flashfreeze-difference-'));
  try {
    const places: string[] = [];
    for (const [name, content] of [
      ['first', a.content],
      ['second', b.content],
    ] as const) {
      await mkdir(join(folder, name));
      const place = join(folder, name, basename(a.path));
      await writeFile(place, content);
      places.push(place);
    }
    const done = await runProcess({
      file: 'diffoscope',
      args: [
        ...[
          '--no-progress',
          '--exclude-directory-metadata',
          'yes',
          '--max-text-report-size',
          String(MAX_BYTES),
        ],
        ...['--text', '-', ...places],
      ],
      cwd: folder,
      timeoutMs: TIMEOUT_MS,
      ...run,
    });
    // It ends with 1 where there are differences.
    return done.ok && done.value.exitCode <= 1 ? done.value.stdout.replaceAll(`${folder}/`, '') : undefined;
  } finally {
    await removeTree(folder);
  }
}
