import {type MakeRequest, readMakeRequest} from '../../hosts/make/make-request.js';
import type {BuildOutcome} from '../../model/outcomes.js';
import type {
  ModuleSelection,
  OverlayOptions,
  RelinkOptions,
  SnapshotOptions,
  SourceBuildOptions,
} from '../../pipeline/build-options.js';
import type {RelinkMethod} from '../../hosts/installed/relink-methods.js';
import {defaultBuildDir} from '../../pipeline/default-build-dir.js';
import {selectionFrom} from '../../pipeline/modules/selection-settings.js';
import {placeOfBase, snapshotBaseOf} from '../../hosts/snapshot/snapshot-base.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {CommandEnd, Invocation} from '../command.js';
import {optionSpec, type OptionName, type OptionValues} from './option-table.js';

/** The modules that the options select; the default is the start-up modules. */
export function selectionOf(options: OptionValues): ModuleSelection {
  return selectionFrom({
    ...options,
    restCollector: options['rest-collector'],
    fastExit: options['fast-exit'],
    strictTraces: options['strict-traces'],
  });
}

/** The options of a build from source. Fails with USAGE when a required path is missing. */
export function sourceOptionsOf({command, options}: Invocation): Result<SourceBuildOptions> {
  const source = requireOption(command, 'source', 'DIR', options.source);
  if (!source.ok) return source;
  const buildDir = requireOption(command, 'build-dir', 'DIR', options['build-dir']);
  if (!buildDir.ok) return buildDir;
  return ok({
    source: source.value,
    buildDir: buildDir.value,
    out: options.out,
    configureArguments: options['configure-arg'] ?? [],
    makeArguments: options['make-arg'] ?? [],
    pie: options.pie ?? false,
    builtinExtensions: options['builtin-extensions'] ?? false,
    debugInfo: options['debug-info'] ?? false,
    cc: options.cc,
  });
}

/** The options of a snapshot. Fails with USAGE when a required one is missing. */
export function snapshotOptionsOf({command, options}: Invocation, cacheDir: string): Result<SnapshotOptions> {
  const base = snapshotBaseOf({
    ...options,
    configureArg: options['configure-arg'],
    makeArg: options['make-arg'],
    method: methodOf(options),
  });
  if (!base.ok) return base;
  const out = requireOption(command, 'out', 'EXE', options.out);
  if (!out.ok) return out;
  const place = {python: placeOfBase(base.value), out: out.value};
  return ok({
    ...{base: base.value, out: out.value, cc: options.cc},
    buildDir: options['build-dir'] ?? defaultBuildDir('snapshot', place, cacheDir),
    debugInfo: options['debug-info'] ?? false,
    snapshot: options.snapshot ?? true,
    entry: options.entry,
  });
}

/** The options of a host for an installed Python. Fails with USAGE when a required one is missing. */
export function installedOptionsOf({command, options}: Invocation): Result<OverlayOptions> {
  if (options['builtin-extensions'] === true) {
    return fail('USAGE', '--builtin-extensions cannot be used with an installed Python', {
      hint: 'it applies to a CPython that is built from --source',
    });
  }
  const python = requireOption(command, 'python', 'EXE', options.python);
  if (!python.ok) return python;
  const out = requireOption(command, 'out', 'PATH', options.out);
  if (!out.ok) return out;
  return ok({python: python.value, out: out.value, buildDir: options['build-dir'], cc: options.cc});
}

/** The same for `relink`. */
export function relinkOptionsOf(invocation: Invocation): Result<RelinkOptions> {
  const installed = installedOptionsOf(invocation);
  if (!installed.ok) return installed;
  const {pie = false, 'debug-info': debugInfo = false} = invocation.options;
  return ok({...installed.value, pie, debugInfo});
}

/** The method that is asked for; undefined leaves the choice to the command. */
export function methodOf({method}: OptionValues): RelinkMethod | undefined {
  return method === 'link' || method === 'graft' ? method : undefined;
}

/** The build that Makefile.inc describes. Fails with USAGE for any other caller. */
export function makeRequestOf(
  {command, options}: Invocation,
  environment: Readonly<Record<string, string | undefined>>,
): Result<MakeRequest> {
  const buildDir = requireOption(command, 'build-dir', 'DIR', options['build-dir']);
  return buildDir.ok ? readMakeRequest(buildDir.value, environment) : buildDir;
}

/** A required option. Fails with USAGE if it is missing. */
export function requireOption<T>(
  command: string,
  name: OptionName,
  value: string,
  given: T | undefined,
): Result<T> {
  if (given !== undefined) return ok(given);
  return fail('USAGE', `${command} needs --${name} ${value}`, {
    hint: `pass it on the command line${optionSpec(name).configurable === true ? ' or in flashfreeze.config.json' : ''}`,
  });
}

/** The end of a build, for the summary. */
export function endOfBuild(outcome: Result<BuildOutcome>): CommandEnd {
  return outcome.ok ? outcome.value : {failure: outcome.failure};
}
