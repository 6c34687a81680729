import type {BuildOutcome} from '../../model/outcomes.js';
import {type Result, ok} from '../../model/result.js';
import {scrubbedEnvironment} from '../../exec/environment.js';
import type {HostContext, ModuleSelection, RelinkOptions} from '../../pipeline/build-options.js';
import {type Places, placesOf} from '../../pipeline/build-places.js';
import {defaultBuildDir} from '../../pipeline/default-build-dir.js';
import {freeze} from '../../pipeline/pipeline.js';
import {withEngine} from '../../pipeline/session.js';
import {graftHost, graftLibrary} from './graft-host.js';
import {installedToolchain} from './installed-toolchain.js';
import {relinkHost} from './relink-host.js';
import {linkObstacle} from './trial-link.js';

/** How images get into a new executable: linked with the static archive, or as a library that a copy needs. */
export type RelinkMethod = 'link' | 'graft';

/** A new executable of an installed Python that one of the methods will make. */
export interface Relinking {
  readonly method: RelinkMethod;
  /** The paths that it writes, absolute. */
  readonly outputs: readonly string[];
  /** Fails as the pipeline does. */
  readonly build: (selection: ModuleSelection, context: HostContext) => Promise<Result<BuildOutcome>>;
}

/**
 * Prepares to make it by the wanted method; without one, by linking where the archive can be linked, else by a graft, and says
 * why. Fails as `installedToolchain` does.
 */
export async function relinkBy(
  wanted: RelinkMethod | undefined,
  options: RelinkOptions,
  context: HostContext,
): Promise<Result<Relinking>> {
  const method = await chooseMethod(wanted, options, context);
  return method.ok ? ok(relinking(method.value, options, context)) : method;
}

/** The wanted method; without one, `link` where the archive can be linked, else `graft`, with a notice that says why. Fails as `installedToolchain` does. */
export async function chooseMethod(
  wanted: RelinkMethod | undefined,
  options: RelinkOptions,
  context: HostContext,
): Promise<Result<RelinkMethod>> {
  if (wanted !== undefined) return ok(wanted);
  const obstacle = await findObstacle(options, context);
  if (!obstacle.ok) return obstacle;
  if (obstacle.value === null) return ok('link');
  const message = `${obstacle.value}: grafting a copy of the executable`;
  context.events.emit({type: 'notice', message, isLasting: true});
  return ok('graft');
}

function relinkPlaces(options: RelinkOptions, cacheDir: string): Places {
  return placesOf(options.buildDir ?? defaultBuildDir('relink', options, cacheDir));
}

function findObstacle(options: RelinkOptions, context: HostContext): Promise<Result<string | null>> {
  const places = relinkPlaces(options, context.cacheDir);
  return withEngine(places.root, context, async (engine) => {
    const site = {engine, context, environment: scrubbedEnvironment({}, context.userEnvironment)};
    const addressModel = options.pie ? 'position-independent' : 'absolute';
    const toolchain = await installedToolchain(
      {...options, addressModel, replacesFrozen: true},
      places,
      site,
    );
    return toolchain.ok ? linkObstacle(toolchain.value, options.pie, places, site) : toolchain;
  });
}

function relinking(method: RelinkMethod, options: RelinkOptions, {cacheDir}: HostContext): Relinking {
  const named = async (built: Promise<Result<BuildOutcome>>): Promise<Result<BuildOutcome>> => {
    const done = await built;
    return done.ok ? ok({...done.value, method}) : done;
  };
  if (method === 'graft') {
    const host = graftHost(options, cacheDir);
    return {
      method,
      outputs: [host.places.root, options.out, graftLibrary(options.out)],
      build: (selection, context) => named(freeze(host, selection, context)),
    };
  }
  const host = relinkHost(options, relinkPlaces(options, cacheDir));
  return {
    method,
    outputs: [host.places.root, options.out],
    build: (selection, context) => named(freeze(host, selection, context)),
  };
}
