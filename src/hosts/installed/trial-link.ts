import {mkdtemp} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {runProcess} from '../../exec/process.js';
import {attempt, ensureFolder} from '../../fs/files.js';
import {memoize} from '../../fs/memo.js';
import {removeTree} from '../../fs/removal.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {type Result, ok} from '../../model/result.js';
import {isText, nullOr, schemaOf} from '../../model/shape.js';
import {quoteForShell} from '../../model/shell-words.js';
import type {Places} from '../../pipeline/build-places.js';
import type {Site} from '../../pipeline/host.js';
import type {InstalledToolchain} from './installed-toolchain.js';
import {type StaticParts, findStaticParts, linkCommand, linkLibraries, wholeArchive} from './static-parts.js';

const obstacleSchema = schemaOf<string | null>(nullOr(isText));

/**
 * What prevents an executable from being linked with the static archive of an installed Python; null if nothing does. Some
 * distributions install no archive, others one that lacks objects (Debian 13 and later: those of HACL*). Known from one
 * link, which is repeated when the archive or the compiler changes. Fails with ACTION and IO.
 * @param pie whether the executable is to be position-independent
 */
export async function linkObstacle(
  toolchain: InstalledToolchain,
  pie: boolean,
  places: Places,
  site: Site,
): Promise<Result<string | null>> {
  const parts = findStaticParts(toolchain.installation, pie);
  if (!parts.ok) return ok(parts.failure.message);
  const {main, archive} = parts.value;
  const command = `${linkCommand(toolchain)} ${quoteForShell([main, ...wholeArchive(archive)])}`;
  const libraries = linkLibraries(toolchain.installation);
  const question = canonicalJson({command, libraries, compiler: toolchain.cc.compiler.digest});
  return memoize(join(places.work, 'trial-link.json'), question, obstacleSchema, async () => {
    const tried = await tryLink(`${command} -o "$0" ${libraries}`, places, site);
    if (!tried.ok) return tried;
    const answer = tried.value === null ? null : obstacleIn(tried.value, parts.value);
    return ok({answer, files: [main, archive]});
  });
}

/** What the linker says of a command that names its output `$0`; null when it succeeds. */
async function tryLink(command: string, places: Places, site: Site): Promise<Result<string | null>> {
  const folder = await ensureFolder(places.work);
  if (!folder.ok) return folder;
  const scratch = await attempt('create', places.work, () => mkdtemp(join(places.work, 'trial-')));
  if (!scratch.ok) return scratch;
  try {
    const done = await runProcess({
      file: 'sh',
      args: ['-c', command, join(scratch.value, 'python')],
      cwd: places.root,
      environment: site.environment,
      signal: site.context.signal,
    });
    if (!done.ok) return done;
    return ok(done.value.exitCode === 0 ? null : done.value.stderr);
  } finally {
    await removeTree(scratch.value);
  }
}

/** A sentence about what a linker printed. */
function obstacleIn(text: string, {archive}: StaticParts): string {
  const [reason] =
    /undefined reference to .*|cannot find -l[^\s:]+|recompile with -f\S+|error: .*/.exec(text) ?? [];
  return `${basename(archive)} cannot be linked${reason === undefined ? '' : ` (${reason})`}`;
}
