import {rename} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {z} from 'zod';
import {ensurePrivate} from '../../fs/private-directory.js';
import {isOnlyOurs} from '../../fs/owners.js';
import {lstat, readFile, readdir} from '../../fs/recorded-fs.js';
import {temporaryIn, writeFileAtomic} from '../../fs/files.js';
import {removeFile} from '../../fs/removal.js';
import {isDigest, type Digest} from '../../model/digest.js';
import {failure, type Failure} from '../../model/failure.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import {digestOfFile, unpack} from './archives.js';
import {fetchDebianSource} from './debian-source.js';
import {download, type NetworkRun} from './download.js';
import {newestOf, pinnedRelease, pinnedVersions, type PinnedRelease} from './releases.js';
import {parseJson} from '../interpreter/run-script.js';

export interface SourceRequest extends NetworkRun {
  /** A release such as `3.13.15`, or a series such as `3.13`. */
  readonly version: string;
  readonly cacheDir: string;
  /** Receives one line of text at each step that takes time. */
  readonly log: (text: string) => void;
  /** The first place to look for the release, if its digest is known; default: python.org. */
  readonly release?: (version: string) => PinnedRelease | undefined;
}

export interface ObtainedSource {
  /** The source tree: a fresh one that nothing else writes to. */
  readonly path: string;
  readonly version: string;
  /** The origin of the archive, for messages: an address, or a source package. */
  readonly origin: string;
  /** Of the archive. */
  readonly sha256: Digest;
}

const recordSchema = z.object({
  version: z.string().regex(/^[\w.+~-]+$/),
  /** Its name in the directory of the record. */
  archive: z.string().regex(/^[\w+~-][\w.+~-]*$/),
  origin: z.string(),
  sha256: z.string().refine(isDigest),
});
/** The metadata kept beside a downloaded archive. */
type SourceRecord = z.infer<typeof recordSchema>;

/**
 * Gets the source tree of a CPython release: from `<cacheDir>/sources` when it was downloaded before, else from python.org, when the digest of the release is known, else from the source package of
 * the machine's distribution.
 *
 * A series is what is pinned of it, or else what was downloaded of it before, or else the newest that apt knows.
 * Fails with DOWNLOAD when there is no way to get it, and with IO when the cache cannot be written.
 */
export async function obtainSource(request: SourceRequest): Promise<Result<ObtainedSource>> {
  const folder = join(request.cacheDir, 'sources');
  try {
    const made = await ensurePrivate(folder);
    if (!made.ok) return made;
    const records = await readRecords(folder);
    const downloaded = records.map((record) => record.version);
    const {version: wanted} = request;
    const version = newestOf(wanted, pinnedVersions()) ?? newestOf(wanted, downloaded) ?? wanted;
    const kept = records.find((record) => record.version === version);
    const record =
      kept && isPinned(kept, request) && (await isIntact(kept, folder, request.log))
        ? ok(kept)
        : await obtainArchive(version, folder, request);
    return record.ok ? await treeOf(record.value, folder, request) : record;
  } catch (error) {
    return fail('IO', `cannot use the directory ${folder}: ${String(error)}`);
  }
}

/** What was downloaded before. What another user may have written, while they could write to the directory, does not count. */
async function readRecords(folder: string): Promise<readonly SourceRecord[]> {
  const all = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const owners = await Promise.all(all.map((name) => lstat(join(folder, name)).catch(() => undefined)));
  const names = all.filter((name, i) => {
    const stats = owners[i];
    return stats !== undefined && isOnlyOurs(join(folder, name), stats);
  });
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')));
  return texts.map((text) => recordSchema.safeParse(parseJson(text))).flatMap(({data}) => data ?? []);
}

/** Whether a kept archive is the one that the release is known by, if it is known. */
function isPinned({version, archive, sha256}: SourceRecord, request: SourceRequest): boolean {
  const pinned = (request.release ?? pinnedRelease)(version);
  if (isOf(pinned, sha256)) return true;
  request.log(`${archive} has the sha256 ${sha256}, not ${pinned?.sha256 ?? ''}, and is not used`);
  return false;
}

/** Whether an archive with this digest may be that of a release. */
function isOf(release: PinnedRelease | undefined, sha256: string): boolean {
  return release === undefined || release.sha256 === sha256 || release.repacked === sha256;
}

/** Is the archive still what was downloaded? */
async function isIntact(record: SourceRecord, folder: string, log: SourceRequest['log']): Promise<boolean> {
  const archive = join(folder, record.archive);
  if ((await digestOfFile(archive).catch(() => undefined)) === record.sha256) return true;
  log(`${archive} is no longer what was downloaded`);
  return false;
}

async function treeOf(
  record: SourceRecord,
  folder: string,
  request: SourceRequest,
): Promise<Result<ObtainedSource>> {
  // Another archive of the same version gets a directory of its own.
  const path = join(folder, `Python-${record.version}-${record.sha256.slice(0, 8)}`);
  const unpacked = await unpack(join(folder, record.archive), path, request);
  if (!unpacked.ok) return unpacked;
  const {version, origin, sha256} = record;
  return ok({path, version, origin, sha256});
}

async function obtainArchive(
  version: string,
  folder: string,
  request: SourceRequest,
): Promise<Result<SourceRecord>> {
  const failures: Failure[] = [];
  const release = (request.release ?? pinnedRelease)(version);
  if (release) {
    request.log(`downloading ${release.url}`);
    const archive = await downloadRelease(release, folder, request);
    if (archive.ok) return keep({...release, archive: archive.value, origin: release.url}, folder);
    if (archive.failure.code === 'INTERRUPTED') return archive;
    // At once: other ways may take minutes, and a digest that does not match is news.
    request.log(archive.failure.message);
    failures.push(archive.failure);
  }
  request.log(`getting the source package of CPython ${version}`);
  const source = await fetchDebianSource(version, folder, request);
  if (source.ok) {
    const {archive} = source.value;
    const sha256 = await digestOfFile(archive);
    const origin = source.value.package;
    if (isOf(release, sha256)) {
      return keep({...source.value, archive: basename(archive), origin, sha256}, folder);
    }
    const message = `${basename(archive)} of ${origin} has the sha256 ${sha256}, not ${release?.sha256 ?? ''}`;
    failures.push(failure('DOWNLOAD', message));
  } else {
    if (source.failure.code === 'INTERRUPTED') return source;
    failures.push(source.failure);
  }
  const details = failures.map((each) => [each.message, each.details].filter(Boolean).join('\n')).join('\n');
  return err(
    failure('DOWNLOAD', `cannot obtain the source of CPython ${version}`, {
      hint: 'download and unpack it yourself, and pass its directory with --source DIR',
      details,
    }),
  );
}

/** The name of the archive in `folder`. */
async function downloadRelease(
  release: PinnedRelease,
  folder: string,
  run: NetworkRun,
): Promise<Result<string>> {
  const name = basename(new URL(release.url).pathname);
  const partial = temporaryIn(folder);
  try {
    const done = await download(release.url, partial, run);
    if (!done.ok) return done;
    const actual = await digestOfFile(partial);
    if (actual !== release.sha256) {
      return fail('DOWNLOAD', `${release.url} has the sha256 ${actual}, not ${release.sha256}`);
    }
    await rename(partial, join(folder, name));
    return ok(name);
  } finally {
    await removeFile(partial);
  }
}

/** Writes the record: from then on, the archive counts. */
async function keep(
  {version, archive, origin, sha256}: {version: string; archive: string; origin: string; sha256: string},
  folder: string,
): Promise<Result<SourceRecord>> {
  if (!isDigest(sha256)) return fail('DOWNLOAD', `${sha256} is not a SHA-256 digest`);
  const record = {version, archive, origin, sha256};
  const path = join(folder, `Python-${version}.json`);
  const written = await writeFileAtomic(path, `${JSON.stringify(record, null, 2)}\n`);
  return written.ok ? ok(record) : written;
}
