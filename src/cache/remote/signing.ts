import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  sign,
  timingSafeEqual,
  verify,
  type KeyObject,
} from 'node:crypto';
import type {Digest} from '../../model/digest.js';
import {messageOf} from '../../model/errno.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {StoredOutput} from '../record.js';

/** The key of a team: only its owners can make results that the others accept. */
export interface SigningKey {
  readonly algorithm: 'hmac-sha256' | 'ed25519';
  /** Undefined when the key can only check: the public half of an ed25519 key. */
  readonly sign: ((text: string) => Uint8Array) | undefined;
  readonly verify: (text: string, signature: Uint8Array) => boolean;
}

/**
 * Reads a key: PEM text with an ed25519 key, private or public, or any other text, which is the secret of an HMAC. White space
 * around it does not count. Fails with CONFIG, naming `origin`, where the text was found; never repeats the text.
 */
export function parseKey(text: string, origin: string): Result<SigningKey> {
  const secret = text.trim();
  if (secret === '') return fail('CONFIG', `${origin} contains no key for the remote cache`);
  if (!secret.startsWith('-----BEGIN')) return ok(hmacKey(secret));
  try {
    if (!secret.includes('PRIVATE KEY')) return edwardsKey(createPublicKey(secret), undefined, origin);
    const privateKey = createPrivateKey(secret);
    return edwardsKey(createPublicKey(privateKey), privateKey, origin);
  } catch (error) {
    return fail('CONFIG', `cannot read the key in ${origin}: ${messageOf(error)}`);
  }
}

function hmacKey(secret: string): SigningKey {
  const make = (text: string): Buffer => createHmac('sha256', secret).update(text).digest();
  return {
    algorithm: 'hmac-sha256',
    sign: make,
    verify(text, signature) {
      const expected = make(text);
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    },
  };
}

function edwardsKey(
  publicKey: KeyObject,
  privateKey: KeyObject | undefined,
  origin: string,
): Result<SigningKey> {
  if (publicKey.asymmetricKeyType !== 'ed25519') {
    const type = publicKey.asymmetricKeyType ?? 'unknown';
    return fail('CONFIG', `the key in ${origin} is of type ${type}, but ed25519 is required`, {
      hint: 'generate one with openssl genpkey -algorithm ed25519, and its public half with openssl pkey -pubout',
    });
  }
  return ok({
    algorithm: 'ed25519',
    sign: privateKey === undefined ? undefined : (text) => sign(null, Buffer.from(text), privateKey),
    verify: (text, signature) => verify(null, Buffer.from(text), publicKey, signature),
  });
}

/**
 * The signed text: the action, and everything that is used of its result. It is not the message itself, because servers may write
 * fields of their own into it (bazel-remote, server/http.go: the worker's address).
 */
export function signedText(key: Digest, outputs: readonly StoredOutput[]): string {
  const content = outputs
    .map(({name, digest, size, executable}) => ({name, digest, size, executable}))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return `flashfreeze result 1\n${key}\n${canonicalJson(content)}`;
}
