import {writeFile} from 'node:fs/promises';
import {relative, resolve, join} from 'node:path';
import {withTemporaryFolder} from '../../fs/temporary-folder.js';
import {parseCompilerCommand} from '../../cpython/build/compiler-command.js';
import type {ModuleRecord} from '../../cpython/interpreter/modules/modules.js';
import {stdlibModules} from '../../cpython/interpreter/modules/resolve-modules.js';
import {copyFindsLibrary} from '../../cpython/interpreter/installation/interpreter-paths.js';
import {traceImports} from '../../cpython/interpreter/modules/program-trace.js';
import {localSlots} from '../../exec/job-slots.js';
import {findTool} from '../../exec/tools.js';
import type {AddressModel} from '../../codegen/address-model.js';
import {objectFlagsOf} from '../../pipeline/compile/c-compiler.js';
import {type InstalledToolchain, installedToolchain} from '../../hosts/installed/installed-toolchain.js';
import {wrapFlags} from '../../hosts/link/link.js';
import type {HostContext} from '../../pipeline/build-options.js';
import {placesOf} from '../../pipeline/build-places.js';
import {withEngine} from '../../pipeline/session.js';
import {checkGraftable} from '../../hosts/installed/graft-obstacle.js';
import {locatePatchelf} from '../../hosts/installed/patchelf.js';
import {findStaticParts, linkCommand, linkLibraries} from '../../hosts/installed/static-parts.js';
import {fail, ok, type Result} from '../../model/result.js';
import {shellWords} from '../../model/shell-words.js';
import type {StepContext, StepModule} from './step-module.js';
import type {StepTarget} from './step-target.js';

/**
 * `step target`: what the other steps, and the rules that call them, have to know of an installed Python. Fails with PYTHON,
 * PYTHON_VERSION and NO_COMPILER.
 */
export const options: StepModule['options'] = {
  python: {type: 'string'},
  cc: {type: 'string'},
  out: {type: 'string'},
};

export const run: StepModule['run'] = ({text, optional}, context) =>
  withTemporaryFolder('target', async (folder) => {
    const found = await describe(text('python'), optional('cc'), folder, context);
    if (!found.ok) return found;
    await writeFile(resolve(context.cwd, text('out')), `${JSON.stringify(found.value, null, 1)}\n`);
    return ok();
  });

function describe(
  python: string,
  cc: string | undefined,
  folder: string,
  {cwd, environment, signal}: StepContext,
): Promise<Result<StepTarget>> {
  const context: HostContext = {
    events: {emit: () => undefined},
    signal,
    cwd,
    userEnvironment: environment,
    cacheDir: join(folder, 'cache'),
    jobs: localSlots(1),
    force: false,
    dryRun: false,
    verify: true,
  };
  const places = placesOf(folder);
  return withEngine(folder, context, async (engine) => {
    const toolchain = await installedToolchain(
      {python, cc, addressModel: 'absolute', replacesFrozen: true},
      places,
      {engine, context, environment},
    );
    if (!toolchain.ok) return toolchain;
    return targetOf(toolchain.value);
  });
}

async function targetOf(toolchain: InstalledToolchain): Promise<Result<StepTarget>> {
  const {installation, target, interpreter, layout, identity, cc, frozenModules} = toolchain;
  const {file, prefix, flags: ownFlags} = parseCompilerCommand(cc.command);
  const path = await findTool(file, interpreter.environment['PATH']);
  if (path === undefined) return fail('NO_COMPILER', `${file}: command not found`);
  const all = await stdlibModules(interpreter);
  if (!all.ok) return all;
  const start = await traceImports({...interpreter, argv: ['-c', 'pass'], cwd: '/'});
  if (!start.ok) return start;
  const modules = inLibrary(all.value, target.stdlib);
  const known = new Set(modules.map(({name}) => name));
  const parts = findStaticParts(installation, false);
  const lost = (await copyFindsLibrary(installation, interpreter))
    ? undefined
    : `a copy of ${installation.baseExecutable} does not find its standard library, because this Python was moved (use kind = "overlay", which runs the Python itself)`;
  const flags = (addressModel: AddressModel): {data: string[]; code: string[]} => {
    const {data, code} = objectFlagsOf({cc, layout, addressModel});
    return {data: [...prefix, ...data], code: [...prefix, ...code]};
  };
  return ok({
    python: target.executable,
    series: target.version.series,
    version: target.version.text,
    sysVersion: target.sysVersion,
    cacheTag: target.cacheTag ?? '',
    extensionSuffix: target.extensionSuffix,
    stdlib: target.stdlib,
    identity: `${identity.digest} ${cc.headers.digest}`,
    headers: [...installation.headers],
    includes: cc.includes.map(({path: place}) => whereIs(place, installation.headers)),
    cc: {
      path,
      identity: cc.compiler.digest,
      flags: {absolute: flags('absolute'), 'position-independent': flags('position-independent')},
    },
    frozen: frozenModules.map(({name, origin, source}) => ({
      name,
      origin,
      path: relative(target.stdlib, source.path),
    })),
    frozenNames: target.frozen.map(({name}) => name),
    modules,
    startup: start.value.modules.flatMap(({name, kind}) =>
      (kind === 'source' || kind === 'frozen') && known.has(name) ? [name] : [],
    ),
    static:
      lost ??
      (parts.ok
        ? {
            main: parts.value.main,
            archive: parts.value.archive,
            command: shellWords(`${linkCommand(toolchain)} ${wrapFlags(layout.wrapped)}`).slice(1),
            libraries: [...shellWords(linkLibraries(installation))],
          }
        : `${parts.failure.message} (${parts.failure.hint ?? ''})`),
    graft: lost ?? (await graftOf(toolchain)),
    overlay: {command: [...prefix, ...ownFlags, '-shared']},
  });
}

async function graftOf({
  installation,
  interpreter: {environment, signal},
}: InstalledToolchain): Promise<StepTarget['graft']> {
  const graftable = await checkGraftable(installation);
  const patchelf = graftable.ok ? await locatePatchelf({environment, signal}) : graftable;
  if (!patchelf.ok) return `${patchelf.failure.message} (${patchelf.failure.hint ?? ''})`;
  const {path, version} = patchelf.value;
  return {original: installation.baseExecutable, patchelf: path, identity: version};
}

/** Those whose source lies in the standard library, where their name says. */
function inLibrary(records: readonly ModuleRecord[], stdlib: string): StepTarget['modules'] {
  return records.flatMap(({name, isPackage, origin}) => {
    const path = `${name.replaceAll('.', '/')}${isPackage ? '/__init__' : ''}.py`;
    return origin === join(stdlib, path) ? [{name, isPackage, path}] : [];
  });
}

/** A directory of headers as one of those that they lie in, and what is below. */
function whereIs(place: string, headers: readonly string[]): {headers: number; below: string} {
  const index = headers.findIndex((folder) => place === folder || place.startsWith(`${folder}/`));
  return {headers: index, below: relative(headers[index] ?? '', place)};
}
