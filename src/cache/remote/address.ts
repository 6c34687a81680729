import {fail, ok, type Result} from '../../model/result.js';

interface Common {
  /** Without a trailing slash and without a password, for messages. */
  readonly base: string;
  /** What to send as `Authorization`, if the address had a user in it. */
  readonly authorization: string | undefined;
}

/** A server with Bazel's HTTP protocol. */
export interface HttpAddress extends Common {
  readonly kind: 'http';
}

/** A server with the gRPC services of the Remote Execution API. */
export interface GrpcAddress extends Common {
  readonly kind: 'grpc';
  readonly isEncrypted: boolean;
  /** Host and port. */
  readonly target: string;
  /** The instance of the server, which may be empty. */
  readonly instance: string;
}

/** Where a remote cache is. */
export type Address = HttpAddress | GrpcAddress;

/** What stands for the scheme of an address while it is parsed: hosts of schemes that URL does not know are opaque. */
const SCHEMES: Readonly<Record<string, string>> = {
  http: 'http',
  https: 'https',
  grpc: 'http',
  grpcs: 'https',
};

/**
 * Reads the address of a remote cache: http or https, perhaps with a path, or grpc or grpcs, perhaps with an instance name; perhaps with
 * user and password. Fails with CONFIG.
 */
export function parseAddress(text: string): Result<Address> {
  const hint = 'such as https://cache.example.org/python or grpcs://cache.example.org/main';
  if (!URL.canParse(text)) return fail('CONFIG', 'the address of the remote cache is not a URL', {hint});
  const {protocol} = new URL(text);
  const scheme = protocol.slice(0, -1);
  const parsedAs = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
  if (parsedAs === undefined) {
    return fail(
      'CONFIG',
      `unsupported protocol ${protocol} in the address of the remote cache (supported: http, https, grpc, grpcs)`,
      {hint},
    );
  }
  const plainText = text.trim().replace(/^[^:]*/, parsedAs);
  // Parsed as http, what follows the colon without a host would be taken for one.
  const hasHost = scheme.startsWith('http') || /^https?:\/\/[^/]/.test(plainText);
  if (!hasHost || !URL.canParse(plainText))
    return fail('CONFIG', 'the address of the remote cache is not a URL', {hint});
  const url = new URL(plainText);
  if (url.search !== '' || url.hash !== '') {
    return fail('CONFIG', 'the address of the remote cache must not have a query or a fragment', {hint});
  }
  if (url.pathname.includes('@')) {
    // It would be printed, and sent to a host that is the user's name.
    return fail('CONFIG', 'the address of the remote cache has an @ in its path', {
      hint: 'write / in a password as %2F, and @ in a path as %40',
    });
  }
  let authorization: string | undefined;
  if (url.username !== '' || url.password !== '') {
    const credentials = `${plain(url.username)}:${plain(url.password)}`;
    authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  const path = url.pathname.replace(/\/+$/, '');
  const base = `${protocol}//${url.host}${path}`;
  if (scheme === 'http' || scheme === 'https') return ok({kind: 'http', base, authorization});
  const instance = plain(path.slice(1));
  const reserved = instance.split('/').find((part) => part === '' || RESERVED.has(part));
  if (instance !== '' && reserved !== undefined) {
    const message = `the address of the remote cache has an invalid instance name (${JSON.stringify(instance)})`;
    return fail('CONFIG', message, {
      hint: 'no part of an instance name is empty or a word of resource names, such as blobs',
    });
  }
  const isEncrypted = scheme === 'grpcs';
  const target = `${url.hostname}:${url.port === '' ? (isEncrypted ? 443 : 80) : url.port}`;
  return ok({kind: 'grpc', base, authorization, isEncrypted, target, instance});
}

/** Names of contents would be ambiguous (remote_execution.proto, "Any of the methods"). */
const RESERVED: ReadonlySet<string> = new Set([
  'blobs',
  'uploads',
  'actions',
  'actionResults',
  'operations',
  'capabilities',
  'compressed-blobs',
]);

function plain(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
