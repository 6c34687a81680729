import {mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

/** Writes files, by path relative to `folder`; scripts (`#!`) are executable. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, content, {mode: content.startsWith('#!') ? 0o755 : 0o644});
  }
  return folder;
}

/** Every file below a directory, with its content. */
export function readFiles(folder: string): Record<string, string> {
  const names = readdirSync(folder, {recursive: true, encoding: 'utf8'}).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** The least that counts as a CPython source tree. */
export const SMALL_TREE: Readonly<Record<string, string>> = {
  configure: '#!/bin/sh\n',
  'Makefile.pre.in': 'srcdir=\t@srcdir@\n',
  'Include/patchlevel.h': '#define PY_VERSION "3.13.15"\n',
  'Lib/os.py': '',
  'Programs/python.c': 'int main(void) { return 0; }\n',
};
