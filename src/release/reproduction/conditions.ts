import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {runProcess} from '../../exec/process.js';
import {findTool} from '../../exec/tools.js';
import {CLOCK_SOURCE} from '../../fs/package-files.js';

/** Conditions of a build that not every machine supports: a function returns undefined, or does nothing, without support. */
export interface ConditionsRun {
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The programs that a build starts by name. These start all others. */
const STARTED = ['sh', 'make', 'gmake', 'gcc', 'cc', 'clang', 'xz'];

/**
 * A directory of programs, to come first in PATH, that run those of the same names with a clock that is `ahead` seconds ahead.
 * (A build gives its children a declared environment, so a LD_PRELOAD set here would not reach them.)
 */
export async function clockWrappers(
  folder: string,
  ahead: number,
  run: ConditionsRun,
): Promise<string | undefined> {
  await mkdir(folder, {recursive: true});
  const library = join(folder, 'clock.so');
  const args = ['-shared', '-fPIC', '-O2', `-DAHEAD=${ahead}`, CLOCK_SOURCE, '-o', library];
  const compiled = await runProcess({file: 'cc', args, cwd: folder, ...run});
  if (!compiled.ok || compiled.value.exitCode !== 0) return undefined;
  for (const name of STARTED) {
    const real = await findTool(name, run.environment['PATH']);
    if (real === undefined) continue;
    await writeFile(join(folder, name), `#!/bin/sh\nLD_PRELOAD='${library}' exec '${real}' "$@"\n`, {
      mode: 0o755,
    });
  }
  return folder;
}

/** The same files in a directory that lists them in another order each time, and how to be rid of it (disorderfs, FUSE). */
export async function mountDisordered(
  source: string,
  place: string,
  run: ConditionsRun,
): Promise<{readonly path: string; readonly unmount: () => Promise<void>} | undefined> {
  await mkdir(place, {recursive: true});
  const args = ['--quiet', '--shuffle-dirents=yes', source, place];
  const mounted = await runProcess({file: 'disorderfs', args, cwd: '/', ...run});
  if (!mounted.ok || mounted.value.exitCode !== 0) return undefined;
  return {
    path: place,
    async unmount() {
      await runProcess({
        file: 'fusermount',
        args: ['-u', place],
        cwd: '/',
        ...run,
        signal: new AbortController().signal,
      });
    },
  };
}

/**
 * Words before a command that give it another user and another host name, in namespaces of the kernel (unshare(1)): files stay those
 * of the user who runs it.
 */
export async function namespaceCommand(run: ConditionsRun): Promise<readonly string[] | undefined> {
  const words = [
    ...['unshare', '--user', '--map-user=4242', '--map-group=4242', '--uts', '--keep-caps'],
    ...['sh', '-c', 'hostname elsewhere && exec "$@"', 'sh'],
  ];
  const [file = '', ...args] = words;
  const tried = await runProcess({file, args: [...args, 'true'], cwd: '/', ...run});
  return tried.ok && tried.value.exitCode === 0 ? words : undefined;
}
