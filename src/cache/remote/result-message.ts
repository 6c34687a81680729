import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import {anyPack, anyUnpack} from '@bufbuild/protobuf/wkt';
import {digestOf, isDigest, type Digest} from '../../model/digest.js';
import type {ActionRecord, StoredOutput} from '../record.js';
import {ActionResultSchema, type ActionResult, type OutputFile} from './action-result_pb.js';
import {SignatureSchema} from './signature_pb.js';
import {signedText, type SigningKey} from './signing.js';

/**
 * Output files of the message: the outputs lie in a directory, and beside it the key record. Its digest is the key itself, as
 * that of an Action is in the Remote Execution API, so the message says which action it belongs to.
 */
const KEY_RECORD = 'key.json';
const OUTPUTS = 'outputs/';

/** Servers put an address there when it is empty. */
const WORKER = 'flashfreeze';

/** The maximum size of an output. A result with a larger one is rejected before the download. */
export const MAX_OUTPUT_BYTES = 256 << 20;

/** The digest of a file without content, which servers treat in ways of their own. */
export const EMPTY = digestOf('');

/** The result of an action as an ActionResult message, signed if there is a key that can. */
export function encodeResult(key: Digest, record: ActionRecord, signingKey?: SigningKey): Uint8Array {
  const signature = signingKey?.sign?.(signedText(key, record.outputs));
  const signed =
    signature === undefined || signingKey === undefined
      ? []
      : [create(SignatureSchema, {algorithm: signingKey.algorithm, value: signature})];
  const message = create(ActionResultSchema, {
    outputFiles: [
      {path: KEY_RECORD, digest: {hash: key, sizeBytes: BigInt(Buffer.byteLength(record.keyRecord))}},
      ...record.outputs.map(({name, digest, size, executable}) => ({
        path: OUTPUTS + name,
        digest: {hash: digest, sizeBytes: BigInt(size)},
        isExecutable: executable,
      })),
    ],
    executionMetadata: {
      worker: WORKER,
      auxiliaryMetadata: signed.map((each) => anyPack(SignatureSchema, each)),
    },
  });
  return toBinary(ActionResultSchema, message);
}

/** A result that was read, or why it cannot be used. */
export type Decoded =
  | {readonly kind: 'record'; readonly record: ActionRecord}
  | {readonly kind: 'damaged' | 'untrusted'; readonly reason: string};

/**
 * Reads an untrusted message. If a key is given, it must have signed the message. Results are used only as a whole:
 * with one invalid part, it is `damaged`.
 */
export function decodeResult(
  bytes: Uint8Array,
  key: Digest,
  keyRecord: string,
  signingKey?: SigningKey,
): Decoded {
  let message: ActionResult;
  try {
    message = fromBinary(ActionResultSchema, bytes);
  } catch {
    return {kind: 'damaged', reason: 'is not an ActionResult message'};
  }
  const own = message.outputFiles.find(({path}) => path === KEY_RECORD);
  if (own?.digest?.hash !== key || message.exitCode !== 0) {
    return {kind: 'damaged', reason: 'is not the result of this action'};
  }
  const outputs: StoredOutput[] = [];
  for (const file of message.outputFiles) {
    if (file === own) continue;
    const output = outputOf(file);
    if (output === undefined || outputs.some(({name}) => name === output.name)) {
      return {kind: 'damaged', reason: 'lists an invalid output'};
    }
    outputs.push(output);
  }
  if (signingKey !== undefined) {
    const reason = distrust(message, signedText(key, outputs), signingKey);
    if (reason !== undefined) return {kind: 'untrusted', reason};
  }
  return {kind: 'record', record: {keyRecord, outputs}};
}

function outputOf({path, digest, isExecutable}: OutputFile): StoredOutput | undefined {
  if (!path.startsWith(OUTPUTS) || digest === undefined || !isDigest(digest.hash)) return undefined;
  if (digest.sizeBytes < 0n || digest.sizeBytes > BigInt(MAX_OUTPUT_BYTES)) return undefined;
  return {
    name: path.slice(OUTPUTS.length),
    digest: digest.hash,
    size: Number(digest.sizeBytes),
    executable: isExecutable,
  };
}

/** Why a result is not trusted, if it is not. */
function distrust(message: ActionResult, text: string, signingKey: SigningKey): string | undefined {
  const signatures = (message.executionMetadata?.auxiliaryMetadata ?? []).flatMap((any) => {
    try {
      return anyUnpack(any, SignatureSchema) ?? [];
    } catch {
      return [];
    }
  });
  if (signatures.length === 0) return 'is not signed';
  const good = signatures.some(
    ({algorithm, value}) => algorithm === signingKey.algorithm && signingKey.verify(text, value),
  );
  return good ? undefined : 'has no valid signature for the given key';
}
