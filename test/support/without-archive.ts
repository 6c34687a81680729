import {execFileSync} from 'node:child_process';
import {copyFileSync, mkdirSync, readdirSync, realpathSync, symlinkSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';

/**
 * An installed Python in another place, without its static archive: a copy of its executable in a tree of symbolic links. Like that of
 * python-build-standalone, it needs its shared library, if it has one, by the way there. Returns the path of the executable.
 */
export function withoutArchive(python: string, folder: string): string {
  const executable = realpathSync(python);
  const prefix = dirname(dirname(executable));
  const library = join('lib', basename(executable));
  const isOwn = (name: string): boolean => /^config-\d/.test(name);
  link(prefix, folder, (name) => name !== 'bin' && name !== 'lib');
  link(join(prefix, 'lib'), join(folder, 'lib'), (name) => name !== basename(library));
  link(join(prefix, library), join(folder, library), (name) => !isOwn(name));
  for (const name of readdirSync(join(prefix, library)).filter(isOwn)) {
    link(join(prefix, library, name), join(folder, library, name), (file) => !file.endsWith('.a'));
  }
  mkdirSync(join(folder, 'bin'));
  const copy = join(folder, 'bin', basename(executable));
  copyFileSync(executable, copy);
  const needed = execFileSync('patchelf', ['--print-needed', copy], {encoding: 'utf8'});
  for (const [name] of needed.matchAll(/^libpython.*$/gm)) {
    execFileSync('patchelf', ['--replace-needed', name, `$ORIGIN/../lib/${name}`, copy]);
  }
  return copy;
}

function link(from: string, to: string, isWanted: (name: string) => boolean): void {
  mkdirSync(to, {recursive: true});
  for (const name of readdirSync(from).filter(isWanted)) symlinkSync(join(from, name), join(to, name));
}
