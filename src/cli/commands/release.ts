import {join} from 'node:path';
import {defaultBuildDir} from '../../pipeline/default-build-dir.js';
import type {SourceBuildOptions} from '../../pipeline/build-options.js';
import {release} from '../../release/make-release.js';
import {failure} from '../../model/failure.js';
import {type Result, ok} from '../../model/result.js';
import type {CommandEnd, Session} from '../command.js';
import {endOfBuild, requireOption, selectionOf, sourceOptionsOf} from '../args/host-options.js';

/** `flashfreeze release`: an installation as an archive, with a manifest and provenance. */
export async function run(session: Session): Promise<CommandEnd> {
  const {invocation, context} = session;
  const options = releaseOptionsOf(session);
  if (!options.ok) return {failure: options.failure};
  const {profile, 'record-profile': recorded, sign: key} = invocation.options;
  if (profile !== undefined && recorded !== undefined) {
    return {
      failure: failure('USAGE', '--record-profile and --profile cannot be combined'),
    };
  }
  return endOfBuild(
    await release(
      {
        options: options.value,
        selection: selectionOf(invocation.options),
        profile: profile ?? recorded,
        records: recorded !== undefined,
        key,
        snapshotAt: invocation.options['snapshot-at'],
      },
      context,
    ),
  );
}

function releaseOptionsOf({
  invocation,
  context,
}: Session): Result<SourceBuildOptions & {readonly out: string}> {
  const {command, options} = invocation;
  const out = requireOption(command, 'out', 'DIR', options.out);
  if (!out.ok) return out;
  const buildDir = options['build-dir'] ?? releaseBuildDir(options.source ?? '', out.value, context.cacheDir);
  const build = sourceOptionsOf({...invocation, options: {...options, 'build-dir': buildDir}});
  return build.ok ? ok({...build.value, out: out.value}) : build;
}

/** The build directory of a release that was not given one. */
function releaseBuildDir(source: string, out: string, cacheDir: string): string {
  return defaultBuildDir('source', {python: source, out: join(out, 'release')}, cacheDir);
}
