import {spawnSync} from 'node:child_process';
import {cpSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {PACKAGE} from '../../support/rig.js';

/** Copies the program, as it is published, to where every user can read it; returns the path of its executable. */
export function copyProgram(to: string): string {
  mkdirSync(to, {recursive: true});
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(PACKAGE, name), join(to, name), {recursive: true});
  const isPublished = (path: string): boolean => !path.endsWith('.ts');
  cpSync(join(PACKAGE, 'src'), join(to, 'src'), {recursive: true, filter: isPublished});
  spawnSync('chmod', ['-R', 'go+rX', to]);
  return join(to, 'bin/flashfreeze.mjs');
}
