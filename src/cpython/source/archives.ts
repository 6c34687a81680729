import {createHash} from 'node:crypto';
import {createReadStream, createWriteStream} from 'node:fs';
import {mkdir, mkdtemp, readdir, rename, rm, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {runProcess} from '../../exec/process.js';
import {findTool} from '../../exec/tools.js';
import type {Digest} from '../../model/digest.js';
import {fail, ok, type Result} from '../../model/result.js';

/** The environment of a child with network access: with the user's own proxy and TLS settings. */
export interface NetworkRun {
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const CONNECT_SECONDS = 5;
const TRANSFER_SECONDS = 600;

/** The sha256 of a file's content. Rejects when it cannot be read. */
export async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') as Digest;
}

/**
 * Downloads a file, with curl if there is one (it knows about proxies), else with `fetch`. Gives up after a few seconds
 * without a connection. Fails with DOWNLOAD; the partial file stays at `to`.
 */
export async function download(url: string, to: string, run: NetworkRun): Promise<Result<void>> {
  await mkdir(dirname(to), {recursive: true});
  const curl = await findTool('curl', run.environment['PATH']);
  if (curl === undefined) return fetchTo(url, to, run.signal);
  const done = await runProcess({
    file: curl,
    args: [
      ...['--fail', '--location', '--silent', '--show-error', '--output', to],
      ...['--connect-timeout', `${CONNECT_SECONDS}`, '--max-time', `${TRANSFER_SECONDS}`, url],
    ],
    cwd: dirname(to),
    environment: run.environment,
    signal: run.signal,
  });
  if (!done.ok) return done;
  if (done.value.exitCode === 0) return ok();
  return fail('DOWNLOAD', `cannot download ${url}: ${done.value.stderr.trim()}`);
}

async function fetchTo(url: string, to: string, signal: AbortSignal): Promise<Result<void>> {
  const connecting = new AbortController();
  const timer = setTimeout(() => {
    connecting.abort(new Error(`no answer within ${CONNECT_SECONDS} s`));
  }, CONNECT_SECONDS * 1000);
  const signals = [signal, connecting.signal, AbortSignal.timeout(TRANSFER_SECONDS * 1000)];
  try {
    const response = await fetch(url, {signal: AbortSignal.any(signals)});
    clearTimeout(timer);
    if (!response.ok || !response.body)
      return fail('DOWNLOAD', `cannot download ${url}: HTTP status ${response.status}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(to));
    return ok();
  } catch (error) {
    if (signal.aborted) return fail('INTERRUPTED', `the download of ${url} was interrupted`);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return fail('DOWNLOAD', `cannot download ${url}: ${String(cause)}`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Unpacks an archive that holds a single directory, so that this directory becomes `to`: all of it or nothing, since it is
 * unpacked beside and renamed. A `to` that is there already is left as it is. Fails with NO_TOOL and DOWNLOAD.
 */
export async function unpack(archive: string, to: string, run: NetworkRun): Promise<Result<void>> {
  if (await isFolder(to)) return ok();
  const beside = await mkdtemp(join(dirname(to), '.unpack-'));
  try {
    const done = await runProcess({
      file: 'tar',
      // As root, tar would give the files to the local owners of the archive's user ids.
      args: ['-x', '--no-same-owner', '-f', archive, '-C', beside],
      cwd: beside,
      environment: run.environment,
      signal: run.signal,
    });
    if (!done.ok) return done;
    if (done.value.exitCode !== 0) {
      return fail('DOWNLOAD', `tar cannot unpack ${archive}`, {
        details: done.value.stderr.trim(),
        hint: archive.endsWith('.xz') ? 'tar requires xz: install xz-utils' : undefined,
      });
    }
    const [folder, ...others] = await readdir(beside);
    if (folder === undefined || others.length > 0)
      return fail('DOWNLOAD', `${archive} is not a source archive`);
    try {
      await rename(join(beside, folder), to);
    } catch (error) {
      // Another run may have been faster.
      if (!(await isFolder(to))) return fail('IO', `cannot write ${to}: ${String(error)}`);
    }
    return ok();
  } finally {
    await rm(beside, {recursive: true, force: true});
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
