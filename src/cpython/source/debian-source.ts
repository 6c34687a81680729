import {mkdir, mkdtemp, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {removeTree} from '../../fs/removal.js';
import {readFile} from '../../fs/recorded-fs.js';
import {findTool} from '../../exec/tools.js';
import {fail, ok, type Result} from '../../model/result.js';
import {
  checksumIn,
  parseSourcePackages,
  parseTargets,
  sourceEntries,
  suitesOf,
  TARGET_FORMAT,
  trustOf,
  type AptTarget,
  type SourcePackage,
} from './apt-sources.js';
import {digestOfFile} from './archives.js';
import {runLimited, type NetworkRun} from './download.js';
import {newestOf} from './releases.js';

export interface DebianSource {
  /** CPython's version. */
  readonly version: string;
  /** The pristine archive of CPython, without Debian's patches. */
  readonly archive: string;
  /** The source package, such as `python3.13 3.13.15-1`. */
  readonly package: string;
}

/**
 * Downloads CPython's pristine archive from the source package of the machine's own distribution, without root and without
 * touching the system: apt works with its own lists and caches in that directory. apt checks the signatures of the index and the
 * digests in it; the digest in the package's signed description is checked as well.
 *
 * `wanted` is a version or a series; the archive is put into `folder`. Fails with DOWNLOAD.
 */
export async function fetchDebianSource(
  wanted: string,
  folder: string,
  run: NetworkRun,
): Promise<Result<DebianSource>> {
  if ((await findTool('apt-get', run.environment['PATH'])) === undefined) {
    return fail('DOWNLOAD', 'this machine has no apt to download a source package');
  }
  await mkdir(folder, {recursive: true});
  const state = await mkdtemp(join(folder, '.apt-'));
  try {
    const apt = await preparedApt(state, run);
    if (!apt.ok) return apt;
    const found = await findPackage(wanted, apt.value);
    return found.ok ? await fetchPackage(found.value, state, folder, apt.value) : found;
  } finally {
    await removeTree(state);
  }
}

/** Runs `apt-get` or `apt-cache` with the private state. The caller checks its exit code. */
type Apt = (tool: 'apt-get' | 'apt-cache', ...args: string[]) => ReturnType<typeof runLimited>;

/** Makes apt read the list of source packages. */
async function preparedApt(state: string, run: NetworkRun): Promise<Result<Apt>> {
  const start = (tool: string, args: readonly string[]): ReturnType<typeof runLimited> =>
    runLimited(tool, args, state, {...run, environment: {...run.environment, LC_ALL: 'C'}});
  const own = await start('apt-get', ['indextargets', '--format', TARGET_FORMAT, 'Created-By: Packages']);
  if (!own.ok) return own;
  const target = mainTarget(parseTargets(own.value.stdout));
  if (!target) return fail('DOWNLOAD', 'apt has no repository configured that could have source packages');
  const trust = trustOf(target, await readFile(target.file, 'utf8').catch(() => ''));
  const list = join(state, 'flashfreeze.sources');
  await writeFile(list, sourceEntries(target, suitesOf(target), trust));
  await mkdir(join(state, 'lists/partial'), {recursive: true});
  await mkdir(join(state, 'cache/archives/partial'), {recursive: true});
  const options = {
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(state, 'lists'),
    'Dir::Cache': join(state, 'cache'),
    'Dir::Cache::SrcPkgCache': '',
    'Dir::Cache::PkgCache': '',
    // The user that apt would switch to may not have access to our directories.
    'APT::Sandbox::User': 'root',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '10',
    'Acquire::https::Timeout': '10',
  };
  const settings = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const apt: Apt = (tool, ...args) => start(tool, [...settings, ...args]);
  // A suite that is missing from a mirror does not affect the others.
  const update = await apt('apt-get', 'update');
  return update.ok ? ok(apt) : update;
}

/** The distribution's own archive, not one for updates or of a third party. */
function mainTarget(targets: readonly AptTarget[]): AptTarget | undefined {
  const known = targets.filter(({origin}) => ['Debian', 'Ubuntu'].includes(origin));
  return known.find(({suite}) => !suite.includes('-')) ?? known[0] ?? targets[0];
}

interface Found extends SourcePackage {
  readonly name: string;
}

async function findPackage(wanted: string, apt: Apt): Promise<Result<Found>> {
  const name = `python${wanted.split('.').slice(0, 2).join('.')}`;
  const shown = await apt('apt-cache', 'showsrc', '--only-source', name);
  if (!shown.ok) return shown;
  const packages = parseSourcePackages(shown.value.stdout);
  const version = newestOf(
    wanted,
    packages.map(({upstream}) => upstream),
  );
  const found = packages.find(({upstream}) => upstream === version);
  if (found) return ok({...found, name});
  const there = packages.map(({upstream}) => upstream).join(', ');
  return fail(
    'DOWNLOAD',
    `apt has no source package of CPython ${wanted}${there === '' ? '' : ` (only ${there})`}`,
    {
      details: shown.value.stderr.trim(),
    },
  );
}

async function fetchPackage(
  found: Found,
  state: string,
  folder: string,
  apt: Apt,
): Promise<Result<DebianSource>> {
  const label = `${found.name} ${found.version}`;
  const fetched = await apt('apt-get', 'source', '--download-only', `${found.name}=${found.version}`);
  if (!fetched.ok) return fetched;
  const {exitCode, stderr} = fetched.value;
  if (exitCode !== 0) {
    return fail('DOWNLOAD', `apt cannot download the source package ${label}`, {details: stderr.trim()});
  }
  const archive = join(state, found.archive);
  const stated = checksumIn(
    await readFile(join(state, found.description), 'utf8').catch(() => ''),
    found.archive,
  );
  const actual = await digestOfFile(archive).catch(() => undefined);
  if (stated === undefined || stated !== actual) {
    return fail('DOWNLOAD', `${found.archive} does not match its digest in ${found.description}`);
  }
  const to = join(folder, found.archive);
  await rename(archive, to);
  return ok({version: found.upstream, archive: to, package: label});
}
