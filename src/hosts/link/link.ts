import {dirname, join} from 'node:path';
import {FULL_DISK_HINT, ensureFolder, writeFileAtomic} from '../../fs/files.js';
import {removeLeftovers} from '../../fs/leftovers.js';
import {replaceByProgram} from '../../fs/fresh-file.js';
import {withoutRecording} from '../../fs/recording.js';
import {runProcess} from '../../exec/process.js';
import type {ActionId, Artifact, ToolIdentity} from '../../model/action.js';
import {type Digest, digestOf} from '../../model/digest.js';
import {type Result, err, fail, ok} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import {output} from '../../pipeline/action-output.js';
import {chooseLinker} from './chosen-linker.js';
import {LINKING} from './linking-identity.js';
import {responseFile} from './make-files.js';
import type {Places} from '../../pipeline/build-places.js';
import {prelink} from './prelink.js';

/** A link, as a shell command like in CPython's own Makefile. */
export interface LinkRecipe {
  readonly id: ActionId;
  readonly tools: readonly ToolIdentity[];
  /** Their replacement in the build identifier, which must not contain a path. */
  readonly identity?: readonly ToolIdentity[];
  /** The linker's command with its flags. */
  readonly command: string;
  /** What is linked, in order: objects, archives, options between them, and lists of images to be linked in groups first. */
  readonly parts: readonly (Artifact | string | readonly Artifact[])[];
  /** The compiler, as shell words. */
  readonly compiler: string;
  /** Libraries, as shell words; they follow the parts. */
  readonly libraries: string;
  /** Whether debugging information is linked: half of what the linker writes, and a fourth of its time. */
  readonly debugInfo: boolean;
  /** The path of the result. An existing file is replaced after the new one has passed `check`. */
  readonly out: string;
  /** The working directory of the link. */
  readonly cwd: string;
  /** What is done to the linked file before anybody sees it, and what that depends on besides the recipe. */
  readonly finish?: {
    readonly inputs: readonly Artifact[];
    readonly apply: (path: string) => Promise<Result<void>>;
  };
  /**
   * Checks the linked file: a new one at a temporary path in the directory of `out`, or the one at `out` that is up to date. Its images may be
   * those of other sources now: an edit that changes no object needs no link.
   */
  readonly check: (path: string, isNew: boolean) => Promise<Result<void>>;
}

/** As long as a SHA-1, which is what debuggers expect. */
const BUILD_ID_DIGITS = 40;

/** The flags that send calls of the interpreter's functions to the runtime. */
export function wrapFlags(wrapped: readonly string[]): string {
  return wrapped.map((name) => `-Wl,--wrap=${name}`).join(' ');
}

/** `link:…`, in place. Fails with LINK when the linker does or is not there, with OUTPUT, and as `check` does. */
export async function link(recipe: LinkRecipe, places: Places, site: Site): Promise<Result<Artifact>> {
  const {parts, libraries, debugInfo, out} = recipe;
  const linker = await chooseLinker(recipe.compiler, site);
  if (!linker.ok) return linker;
  const flagged = linker.value.flag === '' ? recipe.command : `${recipe.command} ${linker.value.flag}`;
  const command = debugInfo ? flagged : `${flagged} -Wl,--strip-debug`;
  const linkedInputs = parts.flat().filter((part) => typeof part !== 'string');
  const inputs = [...linkedInputs, ...(recipe.finish?.inputs ?? [])];
  const options = parts.filter((part) => typeof part === 'string');
  const linked = await site.engine.run({
    id: recipe.id,
    tools: [...recipe.tools, ...linker.value.tools, LINKING],
    arguments: {command, libraries, options, parts: parts.flat().length},
    environment: {},
    inputs,
    outputs: [{name: 'linked', path: out, executable: true}],
    storage: 'in-place',
    async execute({log}) {
      const folder = await ensureFolder(dirname(out));
      if (!folder.ok) return err({...folder.failure, code: 'OUTPUT'});
      const {identity = recipe.tools} = recipe;
      const content = [command, libraries, ...identity, ...linker.value.tools, ...inputs].map((each) =>
        typeof each === 'string' ? each : each.digest,
      );
      const flags = debugInfo ? '' : buildIdFlag(command, digestOf(content.join('\n')));
      const words = await wordsOf(recipe, places, site);
      if (!words.ok) return words;
      const list = join(places.work, `${recipe.id.replace(':', '-')}.txt`);
      const listed = await writeFileAtomic(list, responseFile(words.value));
      if (!listed.ok) return listed;
      // The old one may be running: it is replaced by renaming, never written to.
      const mode = outputMode(linkedInputs, out, site);
      await removeLeftovers([dirname(out)], LINKING_MS);
      return replaceByProgram(out, {
        mode,
        async write(fresh) {
          const done = await runProcess({
            file: 'sh',
            args: ['-c', `${command} ${flags} -o "$0" "@$1" ${libraries}`, fresh, list],
            cwd: recipe.cwd,
            environment: site.environment,
            signal: site.context.signal,
          });
          if (!done.ok) return done;
          const {exitCode, stderr} = done.value;
          if (exitCode !== 0) return linkFailure(out, stderr);
          if (stderr !== '') log(stderr);
          return (await recipe.finish?.apply(fresh)) ?? ok();
        },
        check: (fresh) => recipe.check(fresh, true),
      });
    },
  });
  if (!linked.ok) return linked;
  if (linked.value.outcome === 'fresh' && !site.context.dryRun) {
    // Like the reads of an action: what the check depends on was declared, as inputs of this build.
    const checked = await withoutRecording(() => recipe.check(out, false));
    if (!checked.ok) return checked;
  }
  return ok(output(linked.value, 'linked'));
}

/** What a linker that failed says. */
function linkFailure(out: string, stderr: string): Result<never> {
  // Overlays and grafts have one as an input of the link, so that a change of it is one of the key.
  if (/gold.*invalid use of VERSION/.test(stderr)) {
    return fail('LINK', 'gold cannot link images into a library: it takes no version script as a file', {
      details: stderr,
      hint: 'use another linker: --linker bfd, lld or mold (or -fuse-ld=… in --cc)',
    });
  }
  const isFull = stderr.includes('No space left on device');
  return fail('LINK', `cannot link ${out}`, {details: stderr, ...(isFull && {hint: FULL_DISK_HINT})});
}

/** No linker takes longer. */
const LINKING_MS = 600_000;

/** The permissions of an output that others may not read, because they may not read all that it is made from; that is reported. */
export function outputMode(inputs: readonly Artifact[], out: string, {context}: Site): number | undefined {
  if (context.sharePrivate === true || !inputs.some(({secrecy}) => secrecy === 'private')) return undefined;
  const message = `${out} contains modules that other users may not read, so it gets the mode 0700 (--share-private lets others use it)`;
  context.events.emit({type: 'notice', message, ofWork: true});
  return 0o700;
}

/**
 * The linker's own identifier is a digest of its whole output, which takes as long as writing it. If nothing looks up
 * debugging information by it, a digest of the inputs is enough.
 */
function buildIdFlag(command: string, digest: Digest): string {
  return command.includes('--build-id') ? '' : `-Wl,--build-id=0x${digest.slice(0, BUILD_ID_DIGITS)}`;
}

/** The arguments for the linked parts, with groups in place of their objects. */
async function wordsOf(
  {parts, compiler, tools, cwd}: LinkRecipe,
  places: Places,
  {environment, context: {signal}}: Site,
): Promise<Result<readonly string[]>> {
  const folder = join(places.work, 'groups');
  const words: string[] = [];
  for (const part of parts) {
    if (typeof part === 'string') words.push(part);
    else if ('path' in part) words.push(part.path);
    else {
      const groups = await prelink(part, {compiler, tools, folder, cwd, environment, signal});
      if (!groups.ok) return groups;
      words.push(...groups.value);
    }
  }
  return ok(words);
}
