import {join} from 'node:path';
import {checkOut} from '../installed/output-path.js';
import type {InstalledToolchain} from '../installed/installed-toolchain.js';
import {relinkHost} from '../installed/relink-host.js';
import {chooseMethod, type RelinkMethod} from '../installed/relink-methods.js';
import {sourceHost, type SourceToolchain} from '../source/source-host.js';
import {fail, ok, type Result} from '../../model/result.js';
import {transplantHost} from '../transplant/transplant-host.js';
import type {HostContext, SnapshotBase, SnapshotOptions} from '../../pipeline/build-options.js';
import {placesOf} from '../../pipeline/build-places.js';
import type {Host} from '../../pipeline/host.js';
import type {Toolchain} from '../../pipeline/toolchain.js';
import {checkSnapshotSeries} from './snapshot-series.js';

/** How an executable is made that a snapshot can be put into, and where it lies. */
export interface OpenedBase<T extends Toolchain> {
  readonly host: Host<T>;
  /** The directory of the executable without a snapshot; those with one are made beside it. */
  readonly folder: string;
  /** The path by which a program's Python is called: the executable's own, unless that finds other packages than the Python that was asked for. */
  readonly pythonOf: (executable: string, toolchain: T) => string;
}

type BaseOf<K extends SnapshotBase['kind']> = Extract<SnapshotBase, {readonly kind: K}>;

/** What a user says of the Python. */
interface BaseRequest {
  readonly source?: string | undefined;
  readonly python?: string | undefined;
  readonly configureArg?: readonly string[] | undefined;
  readonly makeArg?: readonly string[] | undefined;
  readonly method?: RelinkMethod | undefined;
}

/** The Python that is asked for. Fails with USAGE unless it is one of a source tree or an installed one. */
export function snapshotBaseOf({
  source,
  python,
  configureArg,
  makeArg,
  method,
}: BaseRequest): Result<SnapshotBase> {
  if ((source === undefined) === (python === undefined)) {
    return fail('USAGE', 'snapshot needs --source DIR or --python EXE, and not both', {
      hint: 'pass one of them, on the command line or in flashfreeze.config.json',
    });
  }
  if (source !== undefined) {
    if (method !== undefined) {
      return fail('USAGE', 'a Python that is built from source is linked: --method needs --python');
    }
    return ok({
      kind: 'source',
      source,
      configureArguments: configureArg ?? [],
      makeArguments: makeArg ?? [],
    });
  }
  if (configureArg === undefined && makeArg === undefined) {
    return ok({kind: 'installed', python: python ?? '', method});
  }
  return fail('USAGE', 'an installed Python is not configured: --configure-arg and --make-arg need --source');
}

/** What a build directory in the cache is named after. */
export function placeOfBase(base: SnapshotBase): string {
  return base.kind === 'source' ? base.source : base.python;
}

/** An executable from a source tree. Fails as `sourceHost` does, and with PYTHON_VERSION for a version whose memory is not known. */
export async function openSourceBase(
  options: Omit<SnapshotOptions, 'base'>,
  {source, configureArguments, makeArguments}: BaseOf<'source'>,
): Promise<Result<OpenedBase<SourceToolchain>>> {
  const host = await sourceHost({
    ...{...options, source, configureArguments, makeArguments, out: undefined},
    ...{pie: false, builtinExtensions: true, forSnapshot: true},
  });
  if (!host.ok) return host;
  const supported = checkSnapshotSeries(host.value.tree.version);
  return supported.ok
    ? ok({host: host.value, folder: host.value.places.cpython, pythonOf: (executable) => executable})
    : supported;
}

/**
 * Uses an executable that is linked anew from an installed Python: from its archive, or from its executable (`graft`). Its preparation fails with PYTHON_VERSION,
 * too. Fails as `chooseMethod` and `use` do.
 */
export async function withInstalledBase<R>(
  options: Omit<SnapshotOptions, 'base'>,
  {python, method}: BaseOf<'installed'>,
  context: HostContext,
  use: <T extends Toolchain>(base: OpenedBase<T>) => Promise<Result<R>>,
): Promise<Result<R>> {
  const places = placesOf(options.buildDir);
  const folder = join(places.root, 'python');
  const relinked = {...options, python, out: join(folder, 'python'), pie: false, forSnapshot: true};
  const chosen = await chooseMethod(method, relinked, context);
  if (!chosen.ok) return chosen;
  return chosen.value === 'link'
    ? use(installedBase(relinkHost(relinked, places), folder, options.out))
    : use(installedBase(transplantHost(relinked, places), folder, options.out));
}

function installedBase<T extends InstalledToolchain>(
  host: Host<T>,
  folder: string,
  out: string,
): OpenedBase<T> {
  return {
    folder,
    // A virtual environment is found by the path of its Python alone.
    pythonOf: (executable, {target}) =>
      target.prefix === target.basePrefix ? executable : target.executable,
    host: {
      ...host,
      async prepare(site) {
        const toolchain = await host.prepare(site);
        if (!toolchain.ok) return toolchain;
        const {target, installation} = toolchain.value;
        const supported = checkSnapshotSeries(target.version);
        const free = supported.ok ? await checkOut(out, installation) : supported;
        return free.ok ? toolchain : free;
      },
    },
  };
}
