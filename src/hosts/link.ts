import {rename, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {ensureFolder} from '../cache/files.js';
import {runProcess} from '../exec/process.js';
import type {ActionId, Artifact, ToolIdentity} from '../model/action.js';
import {type Result, err, fail, ok} from '../model/result.js';
import type {Site} from './host.js';
import {output} from './images.js';
import {responseFile} from './make-files.js';
import type {Places} from './places.js';

/** A link, as a shell command in the words of CPython's own Makefile. */
export interface LinkRecipe {
  readonly id: ActionId;
  readonly tools: readonly ToolIdentity[];
  /** The linker's command with its flags. */
  readonly command: string;
  /** What is linked, in order: objects, archives, and options between them. */
  readonly parts: readonly (Artifact | string)[];
  /** Libraries, as shell words; they follow the parts. */
  readonly libraries: string;
  /** Where the result is wanted; a file that is there is replaced when the new one has proved itself. */
  readonly out: string;
  /** The folder that relative names in the words start from. */
  readonly cwd: string;
  /** Whether what was linked works, at a temporary name in the folder of `out`. */
  readonly check: (path: string) => Promise<Result<void>>;
}

/** The flags that send calls of the interpreter's functions to the runtime. */
export function wrapFlags(wrapped: readonly string[]): string {
  return wrapped.map((name) => `-Wl,--wrap=${name}`).join(' ');
}

/** `link:…`, in place. Fails with LINK when the linker does, with OUTPUT, and as `check` does. */
export async function link(recipe: LinkRecipe, places: Places, site: Site): Promise<Result<Artifact>> {
  const {parts, command, libraries, out} = recipe;
  const inputs = parts.filter((part) => typeof part !== 'string');
  const options = parts.filter((part) => typeof part === 'string');
  const linked = await site.engine.run({
    id: recipe.id,
    tools: recipe.tools,
    arguments: {command, libraries, options, parts: parts.length},
    environment: {},
    inputs,
    outputs: [{name: 'linked', path: out, executable: true}],
    storage: 'in-place',
    async execute({log}) {
      const folder = await ensureFolder(dirname(out));
      if (!folder.ok) return err({...folder.failure, code: 'OUTPUT'});
      // The old one may be running: it is replaced by renaming, never written to.
      const fresh = `${out}.new`;
      const list = join(places.work, `${recipe.id.replace(':', '-')}.txt`);
      await writeFile(list, responseFile(parts.map((part) => (typeof part === 'string' ? part : part.path))));
      const done = await runProcess({
        file: 'sh',
        args: ['-c', `${command} -o "$0" "@$1" ${libraries}`, fresh, list],
        cwd: recipe.cwd,
        environment: site.environment,
        signal: site.context.signal,
      });
      if (!done.ok) return done;
      if (done.value.exitCode !== 0) {
        await rm(fresh, {force: true});
        return fail('LINK', `The linker could not link ${out}.`, {details: done.value.stderr});
      }
      if (done.value.stderr !== '') log(done.value.stderr);
      const checked = await recipe.check(fresh);
      if (!checked.ok) await rm(fresh, {force: true});
      else await rename(fresh, out);
      return checked;
    },
  });
  return linked.ok ? ok(output(linked.value, 'linked')) : linked;
}
