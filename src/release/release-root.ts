import {access, mkdir, mkdtemp, realpath} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {removeEmptyDirectory} from '../fs/removal.js';
import {attempt} from '../fs/files.js';
import {SCRIPTS_FOLDER} from '../fs/package-files.js';
import {runProcess} from '../exec/process.js';
import {findTool} from '../exec/tools.js';
import type {DumpPlace} from '../hosts/snapshot/dump-place.js';
import {fail, ok, type Result} from '../model/result.js';
import type {Site} from '../pipeline/host.js';
import {NAMESPACES, privateRootCommand} from './private-root.js';

/** Where processes in the root find what they read and write, and the scripts of this package. */
const [WORK, SCRIPTS] = ['/flashfreeze/work', '/flashfreeze/scripts'];
/** What else a Python needs: what it asks of itself, devices, and the C library's own locales. */
const MACHINE = ['/proc', '/dev/null', '/dev/urandom', '/usr/lib/locale'];
/** Directories that a release cannot be unpacked into. */
export const TAKEN = ['/flashfreeze', '/proc', '/dev', '/sys', '/usr/lib/locale'];

export interface ReleaseRoot {
  /** The installation. */
  readonly tree: string;
  /** Where processes find it. */
  readonly at: string;
  /** A Python of it: what it is linked with has to be there, too. */
  readonly python: string;
  /** A directory that processes read requests from, and write to. */
  readonly work: string;
}

export interface OpenedRoot {
  readonly place: DumpPlace;
  readonly close: () => Promise<void>;
}

/**
 * A place in which there is nothing but an installation, at the path where users unpack it: what is in memory there does not depend on the machine or
 * the directory of the build. Fails with SNAPSHOT where the kernel does not let the user make one (namespaces), and with IO.
 */
export async function openReleaseRoot(
  {tree, at, python, work}: ReleaseRoot,
  {environment, context: {signal}}: Site,
): Promise<Result<OpenedRoot>> {
  const made = await attempt('create', work, async () => {
    await mkdir(work, {recursive: true});
    return realpath(await mkdtemp(`${work}-root-`));
  });
  if (!made.ok) return made;
  const root = made.value;
  // Only the processes see what is mounted there. Here it stays empty, so that there is never anything to remove but itself.
  const close = async (): Promise<void> => {
    await removeEmptyDirectory(root);
  };
  const place = await enter({tree, at, python, work, root}, environment, signal);
  if (place.ok) return ok({place: place.value, close});
  await close();
  return place;
}

async function enter(
  {tree, at, python, work, root}: ReleaseRoot & {readonly root: string},
  environment: Site['environment'],
  signal: AbortSignal,
): Promise<Result<DumpPlace>> {
  const chroot = (await findTool('chroot', environment['PATH'])) ?? '/usr/sbin/chroot';
  const linked = await librariesOf(python, signal);
  if (!linked.ok) return linked;
  const own: string[] = [];
  for (const path of [...MACHINE, ...new Set(linked.value)]) if (await isThere(path)) own.push(path);
  const mounts = [
    // Imports would write bytecode, and the release has what is in there.
    {source: tree, target: at, isReadOnly: true},
    {source: work, target: WORK},
    {source: SCRIPTS_FOLDER, target: SCRIPTS, isReadOnly: true},
    ...own.map((path) => ({source: path, target: path})),
  ];
  const problems: string[] = [];
  for (const namespaces of NAMESPACES) {
    const before = privateRootCommand(root, mounts, namespaces);
    if (!before.ok) return before;
    const place: DumpPlace = {
      command({file, args, environment: variables}) {
        const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
        const [first = '', ...words] = [
          ...[...before.value, 'env', '-i', ...settings],
          ...[chroot, '.', file, ...args],
        ];
        return {file: first, args: words, environment};
      },
      inside: (path) => path.replace(work, WORK).replace(SCRIPTS_FOLDER, SCRIPTS),
    };
    const tried = await runProcess({
      ...place.command({file: join(at, 'bin', 'python3'), args: ['-I', '-S', '-c', ''], environment: {}}),
      ...{cwd: '/', signal},
    });
    if (tried.ok && tried.value.exitCode === 0) return ok(place);
    problems.push(tried.ok ? tried.value.stderr.trim() : tried.failure.message);
  }
  return fail('SNAPSHOT', `cannot show the installation at ${at} to a process of its own`, {
    details: problems.join('\n'),
    hint: 'allow user namespaces (unshare(1) with --user --mount), or build the release without --snapshot-at',
  });
}

/** The shared libraries that an executable is loaded with, and the dynamic linker: what ldd(1) prints. */
async function librariesOf(python: string, signal: AbortSignal): Promise<Result<readonly string[]>> {
  const listed = await runProcess({
    ...{file: python, args: [], cwd: dirname(python), signal},
    environment: {LD_TRACE_LOADED_OBJECTS: '1'},
  });
  return listed.ok ? ok(parseLibraries(listed.value.stdout)) : listed;
}

/** The absolute paths in the output of ldd. */
export function parseLibraries(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const path = /^\s*(?:\S+ => )?(\/.*) \(0x[0-9a-f]+\)$/.exec(line)?.[1];
    return path === undefined ? [] : [path];
  });
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
