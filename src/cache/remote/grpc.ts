import {writeFile} from 'node:fs/promises';
import {status} from '@grpc/grpc-js';
import {fromBinary} from '@bufbuild/protobuf';
import {attempt} from '../../fs/files.js';
import {digestOf, type Digest} from '../../model/digest.js';
import {ok} from '../../model/result.js';
import {ActionResultSchema} from './action-result_pb.js';
import type {GrpcAddress} from './address.js';
import {createBatches} from './batches.js';
import type {TlsFiles} from './credentials.js';
import {downloadTo} from './blob-download.js';
import {createExchanges} from './exchanges.js';
import {describeError, describeStatus, MAX_MESSAGE_BYTES, openChannel, statusOf} from './grpc-channel.js';
import {
  ActionCache,
  Capabilities,
  ContentAddressableStorage,
  type ServerCapabilities,
} from './remote-execution_pb.js';
import type {Answer, Entry, Transport} from './transport.js';

/** Codes in messages are numbers. */
const OK: number = status.OK;
const NOT_FOUND: number = status.NOT_FOUND;
const ALREADY_EXISTS: number = status.ALREADY_EXISTS;

/** The value of SHA256 in DigestFunction. */
const SHA256 = 1;
/** What a message has besides contents: less than this for each, and for the whole. */
const OVERHEAD_BYTES = 256;
const MESSAGE_OVERHEAD_BYTES = 64 << 10;
/** Larger contents have calls of their own, so that they do not delay others. */
const BATCHED_BYTES = 1 << 20;
const BATCH_BYTES = MAX_MESSAGE_BYTES - MESSAGE_OVERHEAD_BYTES;

/** What is used of the capabilities of a server. */
interface Abilities {
  /** How many bytes a batch may have. */
  readonly batchBytes: number;
  /** The largest content that is sent or asked for in one. */
  readonly batchedBytes: number;
  readonly takesResults: boolean;
}

/**
 * The gRPC services of the Remote Execution API v2: Capabilities, ActionCache, ContentAddressableStorage, ByteStream. Small contents
 * that are requested at the same time share calls.
 */
export function createGrpc(address: GrpcAddress, tls: TlsFiles, patienceMs: number): Transport {
  const {instance: instanceName} = address;
  const exchanges = createExchanges(patienceMs);
  const channel = openChannel(address, tls);
  const {call} = channel;

  let batchBytes = BATCH_BYTES;
  const limits = {count: 1000, atOnce: 4, bytes: () => batchBytes};

  let known: Promise<Answer<Abilities>> | undefined;
  /** Asks the server once what it can do. */
  function abilities(): Promise<Answer<Abilities>> {
    known ??= exchange(false, 0, async (signal) => {
      try {
        return judge(await call(Capabilities.method.getCapabilities, {instanceName}, signal));
      } catch (error) {
        // Then each call shows it.
        if (statusOf(error) !== status.UNIMPLEMENTED) throw error;
        return {kind: 'found', value: {batchBytes, batchedBytes: BATCHED_BYTES, takesResults: true}};
      }
    }).then((answer) => {
      if (answer.kind === 'found') batchBytes = answer.value.batchBytes;
      else known = undefined;
      return answer;
    });
    return known;
  }

  function exchange<T>(
    reads: boolean,
    bytes: number,
    perform: (signal: AbortSignal) => Promise<Answer<T>>,
  ): Promise<Answer<T>> {
    return exchanges.run({
      reads,
      bytes,
      describe: describeError,
      async perform(signal) {
        try {
          return await perform(signal);
        } catch (error) {
          const code = statusOf(error);
          if (code === status.NOT_FOUND) return {kind: 'missing'};
          if (code === status.ALREADY_EXISTS) {
            return {kind: 'failed', reason: describeError(error), why: 'exists'};
          }
          throw error;
        }
      },
    });
  }

  /** An exchange after the first one, which asks for the capabilities. */
  async function ready<T>(run: (able: Abilities) => Promise<Answer<T>>): Promise<Answer<T>> {
    const able = await abilities();
    return able.kind === 'found' ? run(able.value) : able;
  }

  const isMissing = createBatches<Entry, Answer<undefined>>(
    limits,
    () => OVERHEAD_BYTES,
    async (entries) => {
      const answer = await exchange(false, 0, async (signal) => {
        const blobDigests = entries.map(digestIn);
        const request = {instanceName, blobDigests};
        const response = await call(ContentAddressableStorage.method.findMissingBlobs, request, signal);
        return {kind: 'found', value: new Set(response.missingBlobDigests.map(({hash}) => hash))};
      });
      return share(entries, answer, (missing, {digest}) =>
        missing.has(digest) ? {kind: 'missing'} : {kind: 'found', value: undefined},
      );
    },
  );

  const readBatch = createBatches<Entry, Answer<Uint8Array>>(limits, batchedSize, async (entries) => {
    const answer = await exchange(true, sizeOfAll(entries), async (signal) => {
      const request = {instanceName, digests: entries.map(digestIn)};
      const {responses} = await call(ContentAddressableStorage.method.batchReadBlobs, request, signal);
      return {kind: 'found', value: new Map(responses.map((each) => [each.digest?.hash, each]))};
    });
    return share(entries, answer, (responses, {digest, size}) => {
      const response = responses.get(digest);
      if (response === undefined) return {kind: 'failed', reason: 'its response lacks a file'};
      const {code = OK, message = ''} = response.status ?? {};
      if (code === NOT_FOUND) return {kind: 'missing'};
      if (code !== OK) return {kind: 'failed', reason: describeStatus(code, message)};
      if (response.data.length === size) return {kind: 'found', value: response.data};
      return {kind: 'damaged', reason: 'has not the size that it should have'};
    });
  });

  interface Upload {
    readonly entry: Entry;
    readonly body: Uint8Array;
  }
  const writeBatch = createBatches<Upload, Answer<undefined>>(
    limits,
    ({entry}) => batchedSize(entry),
    async (uploads) => {
      const entries = uploads.map(({entry}) => entry);
      const answer = await exchange(false, sizeOfAll(entries), async (signal) => {
        const requests = uploads.map(({entry, body}) => ({digest: digestIn(entry), data: body}));
        const method = ContentAddressableStorage.method.batchUpdateBlobs;
        const {responses} = await call(method, {instanceName, requests}, signal);
        return {kind: 'found', value: new Map(responses.map((each) => [each.digest?.hash, each.status]))};
      });
      return share(entries, answer, (statuses, {digest}) => {
        if (!statuses.has(digest)) return {kind: 'failed', reason: 'its response lacks a file'};
        const {code = OK, message = ''} = statuses.get(digest) ?? {};
        if (code === OK || code === ALREADY_EXISTS) return {kind: 'found', value: undefined};
        return {kind: 'failed', reason: describeStatus(code, message)};
      });
    },
  );

  const prefix = instanceName === '' ? '' : `${instanceName}/`;

  return {
    get: (entry, limit) =>
      ready(() =>
        exchange(true, 0, async (signal) => {
          const request = {instanceName, actionDigest: digestIn(entry)};
          const value = await channel.callForBytes(ActionCache.method.getActionResult, request, signal);
          return value.length > limit ? {kind: 'damaged', reason: 'is too large'} : {kind: 'found', value};
        }),
      ),
    async download(entry, path) {
      const able = await abilities();
      if (able.kind !== 'found') return ok(able);
      if (entry.size > able.value.batchedBytes) {
        return downloadTo(path, entry.size, (take, end) =>
          exchange(true, entry.size, async (signal) => {
            await channel.read(`${prefix}blobs/${entry.digest}/${entry.size}`, take, signal);
            return end();
          }),
        );
      }
      const answer = await readBatch(entry);
      if (answer.kind !== 'found') return ok(answer);
      const written = await attempt('write', path, () => writeFile(path, answer.value));
      return written.ok ? ok({...answer, value: digestOf(answer.value)}) : written;
    },
    head: (entry) =>
      ready<number | undefined>(() =>
        entry.part === 'cas'
          ? isMissing(entry)
          : exchange(false, 0, async (signal) => {
              const request = {instanceName, actionDigest: digestIn(entry)};
              await channel.callForBytes(ActionCache.method.getActionResult, request, signal);
              return {kind: 'found', value: undefined};
            }),
      ),
    put: (entry, body) =>
      ready<undefined>(({batchedBytes, takesResults}) => {
        if (entry.part === 'cas' && body.length <= batchedBytes) return writeBatch({entry, body});
        return exchange(false, body.length, async (signal) => {
          if (entry.part === 'cas') {
            const name = (id: string): string =>
              `${prefix}uploads/${id}/blobs/${entry.digest}/${body.length}`;
            const committed = await channel.write(name, body, signal);
            // -1: it was there already, in another form.
            return committed === BigInt(body.length) || committed === -1n
              ? {kind: 'found', value: undefined}
              : {kind: 'failed', reason: `it has ${committed} of ${body.length} bytes of an upload`};
          }
          if (!takesResults) return {kind: 'failed', reason: 'it takes no results'};
          const actionResult = fromBinary(ActionResultSchema, body);
          const request = {instanceName, actionDigest: digestIn(entry), actionResult};
          await channel.callForBytes(ActionCache.method.updateActionResult, request, signal);
          return {kind: 'found', value: undefined};
        });
      }),
    cancel: exchanges.cancel,
    close: channel.close,
  };
}

function judge({cacheCapabilities: cache}: ServerCapabilities): Answer<Abilities> {
  if (cache === undefined) return {kind: 'failed', reason: 'it has no cache'};
  if (!cache.digestFunctions.includes(SHA256)) return {kind: 'failed', reason: 'it does not support SHA-256'};
  const limit = Number(cache.maxBatchTotalSizeBytes);
  const batchBytes = limit > 0 ? Math.min(BATCH_BYTES, limit) : BATCH_BYTES;
  return {
    kind: 'found',
    value: {
      batchBytes,
      batchedBytes: Math.min(BATCHED_BYTES, batchBytes - OVERHEAD_BYTES),
      takesResults: cache.actionCacheUpdateCapabilities?.updateEnabled ?? true,
    },
  };
}

const digestIn = ({digest, size}: Entry): {hash: Digest; sizeBytes: bigint} => ({
  hash: digest,
  sizeBytes: BigInt(size),
});
const batchedSize = ({size}: Entry): number => size + OVERHEAD_BYTES;
const sizeOfAll = (entries: readonly Entry[]): number => entries.reduce((sum, {size}) => sum + size, 0);

/** The answers for the entries of a batch. What befell the call as a whole counts once: the other entries were not asked for. */
function share<T, A>(
  entries: readonly Entry[],
  answer: Answer<T>,
  part: (value: T, entry: Entry) => Answer<A>,
): readonly Answer<A>[] {
  return entries.map((entry, i): Answer<A> => {
    if (answer.kind !== 'found') return i === 0 ? answer : {kind: 'cancelled'};
    const own = part(answer.value, entry);
    const isSlow = i === 0 && answer.slow === true && (own.kind === 'found' || own.kind === 'missing');
    return isSlow ? {...own, slow: true} : own;
  });
}
