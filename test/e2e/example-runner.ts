import {cpSync, mkdirSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {CACHE, PACKAGE, run, withoutUsersVariables} from '../../support/rig.js';

/**
 * Copies the examples to a directory, with `flashfreeze` on PATH for them.
 * @returns runs one of them, and gives the lines that it prints on standard output, without those of flashfreeze itself
 */
export function exampleRunner(
  folder: string,
): (name: string, environment: Readonly<Record<string, string>>) => Promise<string[]> {
  const bin = join(folder, 'bin');
  cpSync(join(PACKAGE, 'examples'), join(folder, 'examples'), {recursive: true});
  mkdirSync(bin);
  symlinkSync(join(PACKAGE, 'bin', 'flashfreeze.mjs'), join(bin, 'flashfreeze'));
  return async (name, environment) => {
    const done = await run('/bin/sh', [join(folder, 'examples', name, 'run.sh')], {
      environment: {
        ...withoutUsersVariables(),
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        FLASHFREEZE_CACHE_DIR: join(CACHE, 'store'),
        ...environment,
      },
    });
    if (done.exitCode !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
    return done.stdout
      .split('\n')
      .filter((line) => line !== '' && !/^[a-z]+:\S+ {2}|^3\.\d+\.\d+, \d+ modules:/.test(line));
  };
}
