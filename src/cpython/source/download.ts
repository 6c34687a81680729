import {createWriteStream} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {dirname} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {runProcess, type ProcessOutput} from '../../exec/process.js';
import {findTool} from '../../exec/tools.js';
import {stat} from '../../fs/recorded-fs.js';
import {fail, ok, type Result} from '../../model/result.js';

/** The environment of a child with network access: with the user's own proxy and TLS settings. */
export interface NetworkRun {
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** What a download may take; by default `DOWNLOAD_LIMITS`. */
  readonly limits?: DownloadLimits | undefined;
}

/** Bounds of a download: a server decides neither how much of the disk it fills nor how long it takes. */
export interface DownloadLimits {
  readonly bytes: number;
  readonly seconds: number;
  /** A transfer that brings less than `bytesPerSecond` for so long is given up. */
  readonly stallSeconds: number;
  readonly bytesPerSecond: number;
}

/** An archive of CPython has 20 to 30 MB. What is slower than this would not end in time. */
export const DOWNLOAD_LIMITS: DownloadLimits = {
  bytes: 256e6,
  seconds: 600,
  stallSeconds: 30,
  bytesPerSecond: 20_000,
};

const CONNECT_SECONDS = 5;

/**
 * Downloads a file, with curl if there is one (it knows about proxies), else with `fetch`. Gives up after a few seconds
 * without a connection, and at the limits. Fails with DOWNLOAD; the partial file stays at `to`.
 */
export async function download(url: string, to: string, run: NetworkRun): Promise<Result<void>> {
  await mkdir(dirname(to), {recursive: true});
  const {bytes, seconds, stallSeconds, bytesPerSecond} = run.limits ?? DOWNLOAD_LIMITS;
  const curl = await findTool('curl', run.environment['PATH']);
  if (curl === undefined) return fetchTo(url, to, run);
  const args = [
    ...['--fail', '--location', '--proto', '=http,https', '--silent', '--show-error', '--output', to],
    // Of a length that the server states. The process has a limit for the others.
    ...['--max-filesize', `${bytes}`],
    ...['--speed-time', `${stallSeconds}`, '--speed-limit', `${bytesPerSecond}`],
    ...['--connect-timeout', `${CONNECT_SECONDS}`, '--max-time', `${seconds}`, url],
  ];
  const done = await runLimited(curl, args, dirname(to), run);
  const isCut = ((await stat(to).catch(() => undefined))?.size ?? 0) >= bytes - BLOCK;
  if (isCut || (done.ok && done.value.exitCode === CURL_TOO_LARGE)) return tooLarge(url, bytes);
  if (!done.ok) return done;
  if (done.value.exitCode === 0) return ok();
  return fail('DOWNLOAD', `cannot download ${url}: ${done.value.stderr.trim()}`);
}

/** CURLE_FILESIZE_EXCEEDED. */
const CURL_TOO_LARGE = 63;
/** The unit of `ulimit -f`. */
const BLOCK = 512;

/**
 * Runs a program that downloads, with the limits of a download: neither it nor what it starts writes a longer file, and it ends in time.
 * Fails as `runProcess` does.
 */
export function runLimited(
  file: string,
  args: readonly string[],
  cwd: string,
  {environment, signal, limits = DOWNLOAD_LIMITS}: NetworkRun,
): Promise<Result<ProcessOutput>> {
  const script = `ulimit -c 0; ulimit -f ${Math.floor(limits.bytes / BLOCK)}; exec "$@"`;
  return runProcess({
    file: '/bin/sh',
    args: ['-c', script, 'sh', file, ...args],
    cwd,
    environment,
    signal,
    timeoutMs: 1000 * (limits.seconds + CONNECT_SECONDS),
  });
}

async function fetchTo(url: string, to: string, run: NetworkRun): Promise<Result<void>> {
  const {bytes, seconds, stallSeconds, bytesPerSecond} = run.limits ?? DOWNLOAD_LIMITS;
  const own = new AbortController();
  const giveUp = (why: string): void => {
    own.abort(new Error(why));
  };
  const connecting = setTimeout(giveUp, CONNECT_SECONDS * 1000, `no answer within ${CONNECT_SECONDS} s`);
  let received = 0;
  let before = 0;
  const stalled = setInterval(() => {
    if (received - before < stallSeconds * bytesPerSecond) giveUp(`too slow for ${stallSeconds} s`);
    before = received;
  }, stallSeconds * 1000);
  try {
    const signals = [run.signal, own.signal, AbortSignal.timeout(seconds * 1000)];
    const response = await fetch(url, {signal: AbortSignal.any(signals)});
    clearTimeout(connecting);
    if (!response.ok || !response.body)
      return fail('DOWNLOAD', `cannot download ${url}: HTTP status ${response.status}`);
    if (Number(response.headers.get('content-length')) > bytes) {
      await response.body.cancel();
      return tooLarge(url, bytes);
    }
    const bounded = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        received += chunk.length;
        if (received > bytes) return;
        yield chunk;
      }
    };
    await pipeline(Readable.fromWeb(response.body), bounded, createWriteStream(to));
    return received > bytes ? tooLarge(url, bytes) : ok();
  } catch (error) {
    if (run.signal.aborted) return fail('INTERRUPTED', `the download of ${url} was interrupted`);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return fail('DOWNLOAD', `cannot download ${url}: ${String(cause)}`);
  } finally {
    clearTimeout(connecting);
    clearInterval(stalled);
  }
}

function tooLarge(url: string, bytes: number): Result<never> {
  return fail('DOWNLOAD', `cannot download ${url}: it is longer than ${Math.floor(bytes / 1e6)} MB`);
}
