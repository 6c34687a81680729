import {realpath, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {attempt} from '../fs/files.js';
import {readRegular} from '../fs/regular-file.js';
import {folderName, mentionsFolder} from '../pipeline/folder-names.js';
import {fail, ok, type Result} from '../model/result.js';
import {listTree, makeWritable} from './archive/tree.js';

export interface Rewriting {
  /** The directory that it was built in. */
  readonly build: string;
  /** The prefix that it was configured with. */
  readonly prefix: string;
  /** The source tree. No file may contain its path. */
  readonly source: string;
}

/** The replacement for the build directory in files that record how Python was built (Makefile, sysconfig). */
const BUILD_NAME = '/usr/src/python-build';

/**
 * Rewrites the build directory, and what works only at the configured prefix. Files that are
 * the same as in the source tree are not changed. Fails with IO, and with VERIFY when a file still
 * contains the build directory: then other directories would give other bytes.
 */
export async function rewriteInstallation(root: string, rewriting: Rewriting): Promise<Result<void>> {
  const telling: string[] = [];
  const done = await attempt('rewrite', root, async () => {
    // setup.py finds the tree by its real path.
    const secrets = [rewriting.build, rewriting.source, await realpath(rewriting.source)];
    for (const {path, isLink} of await listTree(root)) {
      if (isLink) continue;
      const file = join(root, path);
      const old = await readRegular(file);
      const isSuspect = secrets.some((folder) => old.includes(folder));
      if (isSuspect && (await isFromSource(path, old, rewriting.source))) continue;
      const text = old.includes(0) ? undefined : rewriteText(path, old.toString('latin1'), rewriting);
      const content = text === undefined ? old : Buffer.from(text, 'latin1');
      if (!content.equals(old)) {
        await makeWritable(file);
        await writeFile(file, content);
      }
      const secret = secrets.find(
        (folder) => content.includes(folder) && mentionsFolder(content.toString('latin1'), latin1(folder)),
      );
      if (secret !== undefined) telling.push(`${path} holds ${secret}`);
    }
  });
  if (!done.ok) return done;
  if (telling.length === 0) return ok();
  return fail('VERIFY', `the installation contains the path of its build directory`, {
    hint: 'if the modules themselves contain that path, build in another directory',
    details: telling.slice(0, 20).join('\n'),
  });
}

/** A text of this encoding has one character for each byte. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Whether an installed file of the library or a header is what the source tree has. */
async function isFromSource(path: string, content: Buffer, source: string): Promise<boolean> {
  const [, folder = '', name = ''] = /^(lib|include)\/python[^/]*\/(.*)$/s.exec(path) ?? [];
  const origin = join(source, folder === 'lib' ? 'Lib' : 'Include', name);
  return name !== '' && (await readRegular(origin).catch(() => undefined))?.equals(content) === true;
}

/** The text of an installed file as a release has it. `text` has one character for each byte. */
export function rewriteText(path: string, text: string, {build, prefix}: Omit<Rewriting, 'source'>): string {
  const relocated = text.replaceAll(folderName(latin1(build)), BUILD_NAME);
  if (/^bin\//.test(path)) return withoutShebang(relocated, prefix);
  // pkg-config knows where the file lies; the .pc files of CPython are two directories below the prefix.
  if (path.endsWith('.pc')) return relocated.replace(/^prefix=.*$/m, 'prefix=${pcfiledir}/../..');
  if (/\/_sysconfigdata[^/]*\.py$/.test(path)) return `${relocated}${followPrefix(prefix)}`;
  return relocated;
}

/** A script that runs the Python beside it: `sh` reads a command, Python reads a string. */
function withoutShebang(text: string, prefix: string): string {
  const [, program] = new RegExp(`^#!${prefix}/bin/(\\S+)\\n`).exec(text) ?? [];
  if (program === undefined) return text;
  const body = text.slice(text.indexOf('\n') + 1);
  return `#!/bin/sh\n'''exec' "$(dirname -- "$(realpath -- "$0")")/${program}" "$0" "$@"\n' '''\n${body}`;
}

/** sysconfig reports the directories as they are at run time. Only whole paths: `/opt/python` in `/opt/python-2` is not one. */
function followPrefix(prefix: string): string {
  const pattern = `(^|[\\s='":,]|-[LI])${prefix}(?![\\w.-])`;
  return `
# The directories of this installation lie where it lies.
import re as _re, sys as _sys
build_time_vars = {
    name: _re.sub(r"""${pattern}""", lambda match: match[1] + _sys.base_prefix, value) if isinstance(value, str) else value
    for name, value in build_time_vars.items()
}
del _re, _sys
`;
}
