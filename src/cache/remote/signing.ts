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

/** As long as what HMAC-SHA256 makes of it (RFC 2104, section 3). */
const SECRET_BYTES = 32;

/**
 * Reads a key: PEM text with an ed25519 key, private or public, or any other text of 32 bytes or more, which is the secret of an HMAC. White
 * space around it does not count. What looks like a key of another form is refused: as a secret, it would let everyone sign who has the public
 * key. Fails with CONFIG, naming `origin`, where the text was found; never repeats the text.
 */
export function parseKey(text: string, origin: string): Result<SigningKey> {
  const secret = text.trim();
  const hint = 'use PEM text with an ed25519 key, or a secret such as openssl rand -hex 32 makes';
  if (secret === '') return fail('CONFIG', `${origin} contains no key for the remote cache`);
  const begin = secret.indexOf('-----BEGIN ');
  if (begin < 0) {
    const form = formOf(secret);
    if (form !== undefined)
      return fail('CONFIG', `the key in ${origin} seems to be ${form}, which is not supported`, {hint});
    if (Buffer.byteLength(secret) >= SECRET_BYTES) return ok(hmacKey(secret));
    return fail('CONFIG', `the secret in ${origin} has less than ${SECRET_BYTES} bytes`, {hint});
  }
  try {
    const pem = secret.slice(begin);
    if (!pem.includes('PRIVATE KEY')) return edwardsKey(createPublicKey(pem), undefined, origin);
    const privateKey = createPrivateKey(pem);
    return edwardsKey(createPublicKey(privateKey), privateKey, origin);
  } catch (error) {
    return fail('CONFIG', `cannot read the key in ${origin}: ${messageOf(error)}`, {hint});
  }
}

/** Texts that say that they are a key. */
const FORMS: readonly (readonly [form: string, pattern: RegExp])[] = [
  ['a key of SSH', /\b(ssh|ecdsa|sk)-[\w@.-]+ +AAAA|\bAAAA[CEB]3NzaC1|PuTTY-User-Key-File/],
  ['a key of minisign', /untrusted comment:|^RW[\w+/]{54}$/m],
  ['a key of age', /\b(age1[a-z0-9]{50}|AGE-SECRET-KEY-)/],
  ['a JSON web key', /"kty"\s*:/],
  ['a key without its first line', /BEGIN [A-Z0-9 ]*KEY|END [A-Z0-9 ]*KEY/],
  // Control characters, or what was no UTF-8.
  ['a binary key', /[\0-\x08\x0e-\x1f\ufffd]/],
];

/** The form of a text that is a key of another kind; undefined for what may be a secret. */
function formOf(text: string): string | undefined {
  const named = FORMS.find(([, pattern]) => pattern.test(text))?.[0];
  return named ?? (isEncodedKey(text) ? 'a key in DER' : undefined);
}

/** Whether a text is a key in DER (X.690), as base64 or hexadecimal digits. */
function isEncodedKey(text: string): boolean {
  const compact = text.replaceAll(/\s/g, '');
  return (['base64', 'base64url', 'hex'] as const).some((encoding) => {
    const key = Buffer.from(compact, encoding);
    const parse = [
      () => createPublicKey({key, format: 'der', type: 'spki'}),
      () => createPrivateKey({key, format: 'der', type: 'pkcs8'}),
    ];
    return parse.some((read) => {
      try {
        read();
        return true;
      } catch {
        return false;
      }
    });
  });
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
