import {basename, dirname, isAbsolute, join} from 'node:path';
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
  /** Makes an executable need a library, besides those that it needs already. Fails with LINK. */
  readonly need: (executable: string, need: Need) => Promise<Result<void>>;
}

/** Where an executable looks for libraries. */
export interface Need {
  /** What it is to need: in its own directory or, where that has none, at this path, if it is absolute. */
  readonly library: string;
  /** The directory of the original: it looks for the others where that does, also when it lies elsewhere. */
  readonly origin: string;
  /** As in `ExecutableNeeds`. */
  readonly lendsRunPath: boolean;
}

/** Fails with NO_TOOL when it is not on PATH or does not run. */
export async function findPatchelf(
  places: Places,
  {environment, context: {signal}}: Site,
): Promise<Result<Patchelf>> {
  const path = await findTool('patchelf', environment['PATH']);
  if (path === undefined) return notInstalled;
  const run = runnerOf(path, {environment, signal});
  const version = await memoize(
    join(places.work, 'patchelf.json'),
    path,
    schemaOf<string>(isText),
    async () => {
      const asked = await run(['--version']);
      return asked.ok ? ok({answer: asked.value, files: [path]}) : asked;
    },
  );
  if (!version.ok) return notInstalled;
  return ok({
    identity: {name: 'patchelf', digest: digestOf(version.value)},
    need: (executable, need) => needLibrary(run, executable, need),
  });
}

/** That of a path, which is known to run. */
export function patchelfAt(path: string, surroundings: Surroundings): Pick<Patchelf, 'need'> {
  const run = runnerOf(path, surroundings);
  return {need: (executable, need) => needLibrary(run, executable, need)};
}

/** The path of patchelf, and what it says of itself. Fails with NO_TOOL when it is not on PATH or does not run. */
export async function locatePatchelf(
  surroundings: Surroundings,
): Promise<Result<{readonly path: string; readonly version: string}>> {
  const path = await findTool('patchelf', surroundings.environment['PATH']);
  const version = path === undefined ? undefined : await runnerOf(path, surroundings)(['--version']);
  return path !== undefined && version?.ok === true ? ok({path, version: version.value}) : notInstalled;
}

interface Surroundings {
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

type Run = (args: readonly string[]) => Promise<Result<string>>;

const notInstalled = fail('NO_TOOL', 'patchelf is not installed: it edits the copy of the executable', {
  hint: 'on Debian and Ubuntu, install the package patchelf',
});

function runnerOf(path: string, {environment, signal}: Surroundings): Run {
  return async (args) => {
    const done = await runProcess({file: path, args, cwd: '/', environment, signal});
    if (!done.ok) return done;
    const {exitCode, stdout, stderr} = done.value;
    if (exitCode === 0) return ok(stdout.trim());
    return fail('LINK', `patchelf cannot edit ${args.at(-1) ?? ''}`, {details: stderr});
  };
}

async function needLibrary(run: Run, executable: string, need: Need): Promise<Result<void>> {
  // A copy beside the original finds what that finds, also when both are moved. It is written elsewhere, and lies beside its library.
  const place = dirname(need.library) === need.origin ? undefined : need.origin;
  const kept = await keepLibraries(run, executable, place);
  if (!kept.ok) return kept;
  const folders = await run(['--print-rpath', executable]);
  if (!folders.ok) return folders;
  const path = runPath(withOrigin(folders.value, place), need);
  const moved = await run([
    ...(need.lendsRunPath ? ['--force-rpath'] : []),
    ...['--set-rpath', path, executable],
  ]);
  if (!moved.ok) return moved;
  const added = await run(['--add-needed', basename(need.library), executable]);
  return added.ok ? ok() : added;
}

/** The names of libraries can have the directory of the executable in them, too: python-build-standalone's has `$ORIGIN/../lib/libpython3.12.so.1.0`. */
async function keepLibraries(
  run: Run,
  executable: string,
  origin: string | undefined,
): Promise<Result<string>> {
  const needed = await run(['--print-needed', executable]);
  if (!needed.ok) return needed;
  const changes = needed.value
    .split('\n')
    .map((name) => [name, withOrigin(name, origin)] as const)
    .filter(([name, path]) => name !== path)
    .flatMap((change) => ['--replace-needed', ...change]);
  return changes.length === 0 ? ok('') : run([...changes, executable]);
}

/** Paths, in which the original's directory is named by its path, if that is given. */
function withOrigin(paths: string, origin: string | undefined): string {
  return origin === undefined ? paths : paths.replaceAll(/\$\{ORIGIN\}|\$ORIGIN\b/g, () => origin);
}

/** Not `$ORIGIN` in the name of the library, which musl's dynamic linker does not know there (ldso/dynlink.c, load_library()). */
function runPath(usual: string, {library}: Need): string {
  // `python -m venv --copies` copies nothing but the executable.
  const first = dirname(library);
  const isWritable = isAbsolute(first) && !/[:$]/.test(first);
  return [usual, '$ORIGIN', isWritable ? first : ''].filter((each) => each !== '').join(':');
}
