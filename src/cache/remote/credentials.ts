import {ioFailure} from '../../fs/files.js';
import {readFile} from '../../fs/recorded-fs.js';
import {failure} from '../../model/failure.js';
import {err, fail, ok, type Result} from '../../model/result.js';
import type {Address} from './address.js';

/** Where the files of a `grpcs` connection are, if they are not the system's. */
export interface TlsPaths {
  /** Certificates of the authorities that the server's may be signed by. */
  readonly authorities?: string | undefined;
  /** The certificate by which the server knows this client, and its key. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** PEM texts. */
export interface TlsFiles {
  readonly authorities?: Buffer | undefined;
  readonly certificate?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** The variable with a bearer token for the server. */
export const TOKEN_VARIABLE = 'FLASHFREEZE_CACHE_TOKEN';

/**
 * The address with the token of the environment, which takes precedence over a user in the address. An empty one counts as none, as secrets are
 * empty in the CI of a fork. Fails with CONFIG; never repeats the token.
 */
export function withToken<A extends Address>(
  address: A,
  environment: Readonly<Record<string, string | undefined>>,
): Result<A> {
  const token = environment[TOKEN_VARIABLE]?.trim() ?? '';
  if (token === '') return ok(address);
  // What can be in a header (RFC 9110, section 5.5).
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return fail('CONFIG', `${TOKEN_VARIABLE} has characters that a token cannot have`);
  }
  return ok({...address, authorization: `Bearer ${token}`});
}

/** Reads the files of a connection. Fails with CONFIG. */
export async function readTlsFiles(address: Address, paths: TlsPaths): Promise<Result<TlsFiles>> {
  const {authorities, certificate, key} = paths;
  if (authorities === undefined && certificate === undefined && key === undefined) return ok({});
  if (address.kind !== 'grpc' || !address.isEncrypted) {
    return fail('CONFIG', 'certificates for the remote cache need an address with grpcs', {
      hint: 'for https, NODE_EXTRA_CA_CERTS=FILE names more authorities',
    });
  }
  if ((certificate === undefined) !== (key === undefined)) {
    return fail('CONFIG', '--remote-certificate and --remote-certificate-key need each other');
  }
  const files: Record<string, Buffer | undefined> = {};
  for (const [name, path] of Object.entries({authorities, certificate, key})) {
    if (path === undefined) continue;
    const read = await readPem(path);
    if (!read.ok) return read;
    files[name] = read.value;
  }
  return ok(files);
}

async function readPem(path: string): Promise<Result<Buffer>> {
  let text: Buffer;
  try {
    text = Buffer.from(await readFile(path, 'utf8'));
  } catch (error) {
    return err(failure('CONFIG', ioFailure('read', path, error).message));
  }
  if (text.includes('-----BEGIN ')) return ok(text);
  return fail('CONFIG', `${path} contains no PEM text`);
}
