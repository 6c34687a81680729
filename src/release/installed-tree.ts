import {copyFile, mkdir, readdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {z} from 'zod';
import {clearFile, clearPath} from '../fs/removal.js';
import {attempt} from '../fs/files.js';
import {readRegular} from '../fs/regular-file.js';
import {dependableVariables} from '../cpython/build/configure-and-make.js';
import {buildEnvironment, findMake} from '../cpython/build/build-tools.js';
import {reproducibleEnvironment} from '../cpython/build/reproducible-flags.js';
import {runScript} from '../cpython/interpreter/run-script.js';
import type {SourceTree} from '../cpython/source/source-tree.js';
import {FIXED_ENVIRONMENT} from '../exec/environment.js';
import {runProcess} from '../exec/process.js';
import type {Site} from '../pipeline/host.js';
import type {FreezePlan} from '../pipeline/modules/module-plan.js';
import {makeArgumentsOf} from '../hosts/source/reproducible-build.js';
import type {SourcePlaces} from '../pipeline/build-places.js';
import type {SourceToolchain} from '../hosts/source/source-host.js';
import {sourceHash} from '../pipeline/images/source-hash.js';
import {encodeStamps} from '../pipeline/images/stamp-file.js';
import {identityOf} from '../fs/file-identity.js';
import type {Digest} from '../model/digest.js';
import {fail, ok, type Result} from '../model/result.js';
import {rewriteInstallation} from './replace-folders.js';
import {listTree} from './archive/tree.js';

/** The prefix that a release is configured with. Nothing has to lie there: an installation works anywhere. */
export const PREFIX = '/opt/python';
/** The time of every file, in seconds since the epoch. */
export const EPOCH = Number(FIXED_ENVIRONMENT['SOURCE_DATE_EPOCH']);

export interface InstalledTree {
  readonly root: string;
  /** The interpreter with frozen modules, in `root`. */
  readonly python: string;
}

export interface InstallRequest {
  readonly toolchain: SourceToolchain;
  readonly plan: FreezePlan;
  /** The digests of the code units, by module. */
  readonly codes: ReadonlyMap<string, Digest>;
  readonly places: SourcePlaces;
  /** The interpreter with frozen modules. */
  readonly frozen: string;
  /** The source tree: no file of the installation may contain its path. */
  readonly tree: SourceTree;
}

/**
 * Installs CPython as its own Makefile does, with the frozen interpreter in the place of the plain one, and makes it
 * independent of its build directory and its final directory. Returns the directory that takes the place of the prefix, and its interpreter.
 * Fails with NO_MAKE, STAGE1 (`make install` failed), IO, and with VERIFY when a file contains the build directory.
 */
export async function install(request: InstallRequest, site: Site): Promise<Result<InstalledTree>> {
  const {places, toolchain, plan, codes, frozen, tree} = request;
  const stage = join(places.root, 'install');
  const root = join(stage, PREFIX);
  const made = await makeInstall(stage, request, site);
  if (!made.ok) return made;
  const {series} = toolchain.target.version;
  const library = join(root, 'lib', `python${series}`);
  const python = join(root, 'bin', `python${series}${toolchain.target.abiflags}`);
  const placed = await attempt('write', python, async () => {
    await clearFile(python);
    await copyFile(frozen, python);
    for (const {path} of await listTree(root)) {
      if (/\.py[co]$/.test(path)) await clearFile(join(root, path));
    }
    // An archive has no empty directories, and without this one CPython warns at each start (Modules/getpath.py): all extension
    // modules may be in the executable.
    const extensions = join(library, 'lib-dynload');
    await mkdir(extensions, {recursive: true});
    if ((await readdir(extensions)).length === 0) await writeFile(join(extensions, '.keep'), '');
  });
  if (!placed.ok) return placed;
  const rewritten = await rewriteInstallation(root, {
    build: places.root,
    prefix: PREFIX,
    source: tree.path,
  });
  if (!rewritten.ok) return rewritten;
  const compiled = await runScript(
    {...toolchain.interpreter, environment: {...toolchain.interpreter.environment, LC_ALL: 'C.UTF-8'}},
    'precompile.py',
    {
      // Nothing can lie below a device.
      flags: ['-I', '-S', '-X', 'pycache_prefix=/dev/null'],
      input: JSON.stringify([library, `${PREFIX}/lib/python${series}`]),
      schema: z.object({count: z.number()}),
      code: 'COMPILE',
      timeoutMs: 1_200_000,
    },
  );
  if (!compiled.ok) return compiled;
  const stamped = await attempt('write', `${python}.stamps`, async () => {
    const stamps = await Promise.all(
      plan.sources.map(async ({module, root: index, key, isPackage}) => {
        const code = codes.get(module);
        if (plan.roots[index] !== 'stdlib' || code === undefined) return undefined;
        const content = await readRegular(join(library, `${key}${isPackage ? '/__init__' : ''}.py`));
        return {
          code,
          identity: identityOf({size: BigInt(content.length), mtimeNs: BigInt(EPOCH) * 1_000_000_000n}),
          hash: sourceHash(content, toolchain.layout),
          bytecode: 0n,
          folder: 0,
        };
      }),
    );
    // Inodes and change times are those of one machine: there, size and time decide, as for CPython's own bytecode.
    const file = encodeStamps(plan.sources, {folders: [], stamps, hasInodes: false});
    await writeFile(`${python}.stamps`, file);
  });
  return stamped.ok ? ok({root, python}) : stamped;
}

/**
 * `make install` into a directory of its own. pip is left to `python -m ensurepip`: it would bring bytecode with times. What stage 1
 * made is installed as it is, also where sources have newer times: had one of them other content, stage 1 would be new.
 */
async function makeInstall(
  stage: string,
  {places, tree, toolchain}: InstallRequest,
  site: Site,
): Promise<Result<void>> {
  const environment = reproducibleEnvironment(buildEnvironment(site.environment));
  const make = await findMake(environment);
  if (!make.ok) return make;
  const emptied = await attempt('empty', stage, async () => {
    await clearPath(stage);
    await mkdir(dirname(join(stage, PREFIX)), {recursive: true});
  });
  if (!emptied.ok) return emptied;
  const {signal} = site.context;
  const variables = await dependableVariables({buildDir: places.cpython, environment, signal});
  if (!variables.ok) return variables;
  const run = await runProcess({
    file: make.value,
    args: [
      'install',
      `DESTDIR=${stage}`,
      'ENSUREPIP=no',
      // compileall then only prints its options, because we write the bytecode.
      'COMPILEALL_OPTS=--help',
      ...variables.value,
      ...['-o', 'all', '-o', 'python'],
      // setup.py also compiles when it is asked to install.
      ...(await makeArgumentsOf(tree, places, toolchain.stage1.compiler.family)),
    ],
    cwd: places.cpython,
    environment,
    signal,
  });
  if (!run.ok) return run;
  await writeFile(join(places.cpython, 'install.log'), run.value.stdout + run.value.stderr);
  if (run.value.exitCode === 0) return ok();
  return fail('STAGE1', `make could not install CPython (exit code ${run.value.exitCode})`, {
    hint: `see ${join(places.cpython, 'install.log')}`,
    details: run.value.stderr.slice(-4000),
  });
}
