import {basename, join} from 'node:path';
import {runProcess} from '../../exec/process.js';
import {findTool} from '../../exec/tools.js';
import {memoize} from '../../fs/memo.js';
import type {ToolIdentity} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {type Result, fail, ok} from '../../model/result.js';
import {isText, schemaOf} from '../../model/shape.js';
import type {Places} from '../../pipeline/build-places.js';
import type {Site} from '../../pipeline/host.js';

/** The program that edits executables (https://github.com/NixOS/patchelf). */
export interface Patchelf {
  readonly identity: ToolIdentity;
  /**
   * Makes an executable need a library that lies in its own directory, besides those that it needs already. Where it looks
   * for these stays the same, wherever the copy lies. Fails with LINK.
   * @param origin the directory of the original
   */
  readonly need: (executable: string, library: string, origin: string) => Promise<Result<void>>;
}

/** Fails with NO_TOOL when it is not on PATH or does not run. */
export async function findPatchelf(
  places: Places,
  {environment, context: {signal}}: Site,
): Promise<Result<Patchelf>> {
  const path = await findTool('patchelf', environment['PATH']);
  const run = async (args: readonly string[]): Promise<Result<string>> => {
    const done = await runProcess({file: path ?? '', args, cwd: '/', environment, signal});
    if (!done.ok) return done;
    const {exitCode, stdout, stderr} = done.value;
    if (exitCode === 0) return ok(stdout.trim());
    return fail('LINK', `patchelf cannot edit ${args.at(-1) ?? ''}`, {details: stderr});
  };
  const version =
    path === undefined
      ? undefined
      : await memoize(join(places.work, 'patchelf.json'), path, schemaOf<string>(isText), async () => {
          const asked = await run(['--version']);
          return asked.ok ? ok({answer: asked.value, files: [path]}) : asked;
        });
  if (version?.ok !== true) {
    return fail('NO_TOOL', 'patchelf is not installed: it edits the copy of the executable', {
      hint: 'on Debian and Ubuntu, install the package patchelf',
    });
  }
  return ok({
    identity: {name: 'patchelf', digest: digestOf(version.value)},
    async need(executable, library, origin) {
      const folders = await run(['--print-rpath', executable]);
      if (!folders.ok) return folders;
      const absolute = folders.value.replaceAll(/\$\{ORIGIN\}|\$ORIGIN\b/g, origin);
      if (absolute !== folders.value) {
        const moved = await run(['--set-rpath', absolute, executable]);
        if (!moved.ok) return moved;
      }
      const added = await run(['--add-needed', `$ORIGIN/${basename(library)}`, executable]);
      return added.ok ? ok() : added;
    },
  });
}
