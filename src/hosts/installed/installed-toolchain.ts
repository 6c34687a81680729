import {join} from 'node:path';
import {existsSync} from '../../fs/recorded-fs.js';
import type {AddressModel} from '../../codegen/address-model.js';
import {findCompiler} from '../../cpython/build/build-tools.js';
import {objectFlags} from '../../cpython/build/compile-flags.js';
import {headerFolders, listHeaders} from '../../cpython/build/headers.js';
import {
  type Installation,
  describeInstallation,
  installationSchema,
  isExecutableOf,
} from '../../cpython/interpreter/installation/installation.js';
import {whyNotRun} from '../../cpython/interpreter/installation/unrunnable.js';
import {checkUsable} from '../../cpython/interpreter/installation/refused-builds.js';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import {scriptPath} from '../../cpython/interpreter/scripts.js';
import {findTool} from '../../exec/tools.js';
import type {ToolIdentity} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {READERS} from '../../pipeline/reader-identity.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {type Result, err, fail, ok} from '../../model/result.js';
import {memoizedCompiler} from '../../pipeline/compile/memoized-compiler.js';
import type {Site} from '../../pipeline/host.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import {memoize} from '../../fs/memo.js';
import type {Places} from '../../pipeline/build-places.js';
import type {CToolchain, FrozenModule, Toolchain} from '../../pipeline/toolchain.js';

/** The toolchain of an installed Python. */
export interface InstalledToolchain extends Toolchain {
  readonly installation: Installation;
}

export interface InstalledRequest {
  /** The Python: a path, or a name on PATH. */
  readonly python: string;
  /** The C compiler; by default the one that compiled the Python. */
  readonly cc: string | undefined;
  readonly addressModel: AddressModel;
  /** Whether the modules that CPython freezes itself get images. */
  readonly replacesFrozen: boolean;
}

/**
 * Makes the toolchain of an installed Python, without changing it. Fails with PYTHON for one that cannot be
 * run, is not supported or has no headers, with PYTHON_VERSION, NO_COMPILER and IO.
 */
export async function installedToolchain(
  request: InstalledRequest,
  places: Places,
  site: Site,
): Promise<Result<InstalledToolchain>> {
  const {environment, context} = site;
  const {signal} = context;
  const found = await describe(request.python, places, site);
  if (!found.ok) return found;
  const installation = found.value;
  const {target, variables} = installation;
  const usable = checkUsable(target);
  if (!usable.ok) return usable;
  const layout = await loadLayout(target.version.series);
  if (!layout.ok) return layout;
  const identity = await identityOf(installation, site);
  if (!identity.ok) return identity;
  const headers = await headersOf(installation, site);
  if (!headers.ok) return headers;
  const command = await compilerFor(request.cc, installation, site);
  if (!command.ok) return command;
  const compiler = await memoizedCompiler(command.value, places, {environment, signal});
  if (!compiler.ok) return compiler;
  const common = installation.headers[0] ?? '';
  const globalStrings = join(common, 'internal/pycore_global_strings.h');
  return ok({
    installation,
    target,
    interpreter: {python: target.executable, environment, signal},
    identity: identity.value,
    behaviour: identity.value,
    layout: layout.value,
    addressModel: request.addressModel,
    cc: {
      command: command.value,
      flags: objectFlags(variables.PY_CORE_CFLAGS),
      includes: includesOf(installation),
      compiler: compiler.value,
      headers: headers.value,
    },
    globalStringsHeader: existsSync(globalStrings) ? globalStrings : undefined,
    frozenModules: request.replacesFrozen ? frozenModulesOf(installation) : [],
    getpath: undefined, // Its source is not installed.
  });
}

/**
 * The compiler to use, as in CC: the given one, else the one that compiled the Python. A Python that was built on another
 * machine may name a compiler that is not here; then it is the first that configure would take. Fails with NO_COMPILER.
 */
async function compilerFor(
  wanted: string | undefined,
  {target, variables: {CC}}: Installation,
  {environment, context}: Site,
): Promise<Result<string>> {
  if (wanted !== undefined) return ok(wanted);
  const named = await findCompiler(environment, CC);
  if (named.ok) return ok(CC);
  const other = await findCompiler(environment);
  if (!other.ok) return named;
  const message = `${CC}, which compiled ${target.executable}, is not installed: ${other.value} is used`;
  context.events.emit({type: 'notice', message, isLasting: true});
  return other;
}

async function describe(python: string, places: Places, site: Site): Promise<Result<Installation>> {
  const {environment, context} = site;
  const path = await findTool(python, environment['PATH']);
  if (path === undefined) {
    return fail('PYTHON', `${python}: command not found`, {hint: 'pass the path of a Python executable'});
  }
  const interpreter: Interpreter = {python: path, environment, signal: context.signal};
  const question = canonicalJson({path, readers: READERS.digest});
  return memoize(join(places.work, 'installation.json'), question, installationSchema, async () => {
    const described = await describeInstallation(interpreter);
    if (!described.ok) {
      const known = described.failure.code === 'PYTHON' ? await whyNotRun(path) : undefined;
      return err(known ?? described.failure);
    }
    const installation = described.value;
    // A script that selects a Python is run again each time.
    const files = (await isExecutableOf(path, installation.target))
      ? [path, scriptPath('describe_target.py'), ...installation.files]
      : undefined;
    return ok({answer: installation, files});
  });
}

/** The identity of an installed interpreter, which decides its code objects: its executable. */
async function identityOf(installation: Installation, {engine}: Site): Promise<Result<ToolIdentity>> {
  const {target, libpython} = installation;
  const binaries = await engine.sources([
    {name: 'python', path: target.executable},
    ...(libpython === null ? [] : [{name: 'libpython', path: libpython}]),
  ]);
  if (!binaries.ok) return binaries;
  const record = [target.sysVersion, target.magic, ...binaries.value.map(({digest}) => digest)];
  return ok({name: 'python', digest: digestOf(canonicalJson(record))});
}

async function headersOf(installation: Installation, {engine}: Site): Promise<Result<ToolIdentity>> {
  const {headers, target} = installation;
  const [common] = headers;
  if (common === undefined || !existsSync(join(common, 'internal/pycore_code.h'))) {
    return fail(
      'PYTHON',
      `no C headers found for ${target.executable}${common === undefined ? '' : ` (looked in ${common})`}`,
      {
        hint: `on Debian and Ubuntu, install the package libpython${target.version.series}-dev`,
      },
    );
  }
  const files = [];
  for (const [i, folder] of headers.entries()) {
    const names = await listHeaders(folder);
    if (!names.ok) return names;
    files.push(...names.value.map((name) => ({name: `${i}/${name}`, path: join(folder, name)})));
  }
  const artifacts = await engine.sources(files);
  if (!artifacts.ok) return artifacts;
  const record = artifacts.value.map(({name, digest}) => `${digest} ${name}`);
  return ok({name: 'CPython headers', digest: digestOf(record.join('\n'))});
}

function includesOf({headers}: Installation): CToolchain['includes'] {
  return headers.flatMap((folder, i) =>
    i === 0 ? headerFolders(folder, '$INCLUDE') : [{path: folder, label: `$INCLUDE${i}`}],
  );
}

/**
 * The rows of CPython's tables that may get static code of images: those whose code is what the installed source compiles to.
 * The source may be missing, as for those that only CPython's tests import, or patched after Python was built.
 */
function frozenModulesOf({target, reproducible}: Installation): FrozenModule[] {
  const usable = new Set(reproducible);
  return target.frozen
    .filter(({name}) => usable.has(name))
    .map(({name, origin, source}) => ({
      name,
      origin,
      source: {path: join(target.stdlib, source.path), name: `Lib/${source.path}`},
    }));
}
