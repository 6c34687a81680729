import {writeFile} from 'node:fs/promises';
import pLimit from 'p-limit';
import type {Digest} from '../../model/digest.js';
import type {EventSink} from '../../model/events.js';
import {fail, ok, type Result} from '../../model/result.js';
import {attempt} from '../../fs/files.js';
import type {ActionRecord, StoredOutput} from '../record.js';
import {parseAddress, type Address} from './address.js';
import {readTlsFiles, withToken, type TlsFiles, type TlsPaths} from './credentials.js';
import {PATIENCE_MS} from './exchanges.js';
import {createHttp} from './http.js';
import {BASE_MS} from './waiting.js';
import {createServerKnowledge, type Known} from './known.js';
import {decodeResult, EMPTY} from './result-message.js';
import {createServer, type Server} from './server.js';
import type {SigningKey} from './signing.js';
import {nameOfEntry, type Entry, type Transport} from './transport.js';
import {createUploads} from './uploads.js';

/**
 * A cache on a server, for one run. The server is not trusted: whatever it does, the
 * worst case is a miss, and one warning for each kind of failure.
 */
export interface RemoteCache {
  /** Whether `offer` uploads. */
  readonly uploads: boolean;
  /** The result under a key, which is the digest of `keyRecord`; undefined when there is none that can be used. */
  readonly get: (key: Digest, keyRecord: string) => Promise<ActionRecord | undefined>;
  /** Whether an output of the result under `key` was written to `path`, whole. Fails with IO when `path` cannot be written. */
  readonly download: (key: Digest, output: StoredOutput, path: string) => Promise<Result<boolean>>;
  /**
   * Uploads a result that was made here: `files` has the path of every output by name. Returns at once; does nothing unless
   * uploads were asked for. What is there already stays as it is.
   */
  readonly offer: (key: Digest, record: ActionRecord, files: Readonly<Record<string, string>>) => void;
  /** Waits for the uploads. */
  readonly finish: () => Promise<void>;
  /** Ends connections, which may keep the process running. */
  readonly close: () => void;
}

export interface RemoteOptions {
  /** See parseAddress. */
  readonly url: string;
  /** What a `grpcs` connection needs besides the address. */
  readonly tls?: TlsPaths;
  /** Where a token for the server may be. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Whether results that are made here are offered to others. */
  readonly upload: boolean;
  /** If given, results without its signature are rejected, and uploaded ones are signed. */
  readonly signingKey: SigningKey | undefined;
  readonly events: EventSink;
  /** Ends all requests. */
  readonly signal: AbortSignal;
  /** How long the server may take to answer; a few seconds when left out. */
  readonly patienceMs?: number;
  /** How long the run may wait for it all in all, besides what its answers are worth; a few seconds when left out. */
  readonly waitingMs?: number;
}

/** Prepares the use of a remote cache; sends no request yet. Fails with CONFIG. */
export async function openRemote(options: RemoteOptions): Promise<Result<RemoteCache>> {
  const {upload, signingKey, events, signal, patienceMs = PATIENCE_MS, waitingMs = BASE_MS} = options;
  const parsed = parseAddress(options.url);
  const address = parsed.ok ? withToken(parsed.value, options.environment ?? {}) : parsed;
  if (!address.ok) return address;
  const tls = await readTlsFiles(address.value, options.tls ?? {});
  if (!tls.ok) return tls;
  if (upload && signingKey !== undefined && signingKey.sign === undefined) {
    return fail('CONFIG', 'cannot upload results: a public key cannot sign them', {
      hint: 'pass the private key, or omit --remote-upload',
    });
  }
  const transport = await openTransport(address.value, tls.value, patienceMs);
  const server = createServer(transport, {base: address.value.base, waitingMs}, events, signal);
  const known = createServerKnowledge();
  const uploads = upload ? createUploads(server, known, signingKey) : undefined;
  return ok({
    uploads: upload,
    ...createDownloads(server, known, signingKey),
    offer(key, record, files) {
      uploads?.offer(key, record, files);
    },
    async finish() {
      await uploads?.finish();
    },
    close: server.close,
  });
}

async function openTransport(address: Address, tls: TlsFiles, patienceMs: number): Promise<Transport> {
  if (address.kind === 'http') return createHttp(address, patienceMs);
  // Imported here, because the library takes a noticeable part of a short run.
  const {createGrpc} = await import('./grpc.js');
  return createGrpc(address, tls, patienceMs);
}

/** An ActionResult that this program writes has a few hundred bytes. */
const MAX_RESULT_BYTES = 1 << 20;
/** Files above this size are downloaded one at a time, so that a malicious server cannot fill the disk with many at once. */
const LARGE_BYTES = 8 << 20;

function createDownloads(
  server: Server,
  known: Known,
  signingKey: SigningKey | undefined,
): Pick<RemoteCache, 'get' | 'download'> {
  const large = pLimit(1);

  /** Whether the file was written, and is what its digest says. */
  async function fetchBlob({digest, size}: StoredOutput, path: string): Promise<Result<boolean>> {
    // Servers need not have it (bazel-remote knows it by itself, nginx does not take it).
    if (digest === EMPTY) {
      const written = await attempt('write', path, () => writeFile(path, ''));
      return written.ok ? ok(true) : written;
    }
    const blob: Entry = {part: 'cas', digest, size};
    const done = await server.download(blob, path);
    if (!done.ok) return done;
    const answer = done.value;
    if (answer.kind === 'found' && answer.value === digest) return ok(true);
    if (answer.kind === 'found' || answer.kind === 'damaged') {
      known.wrong.add(digest);
      const reason = answer.kind === 'damaged' ? answer.reason : 'is not what its name says';
      server.damaged(blob, reason, size);
    }
    return ok(false);
  }

  return {
    async get(key, keyRecord) {
      if (known.missing.has(key)) return undefined;
      const entry: Entry = {part: 'ac', digest: key, size: Buffer.byteLength(keyRecord)};
      const answer = await server.get(entry, MAX_RESULT_BYTES);
      if (answer.kind === 'found') {
        const decoded = decodeResult(answer.value, key, keyRecord, signingKey);
        if (decoded.kind === 'record') return decoded.record;
        if (decoded.kind === 'damaged') server.damaged(entry, decoded.reason);
        else
          server.warn(
            'untrusted',
            `has a result at ${nameOfEntry(entry)} that ${decoded.reason}; it is ignored`,
            UNTRUSTED,
          );
      }
      if (answer.kind === 'damaged') server.damaged(entry, answer.reason);
      known.missing.add(key);
      return undefined;
    },
    async download(key, output, path) {
      const fetched = await (output.size > LARGE_BYTES
        ? large(fetchBlob, output, path)
        : fetchBlob(output, path));
      if (!fetched.ok) return fetched;
      if (fetched.value) known.present.add(output.digest);
      else {
        known.incomplete.add(key);
        known.missing.add(key);
      }
      return fetched;
    },
  };
}

const UNTRUSTED =
  'whoever put it there did not have this key; results that are to be signed belong under a path of their own';
