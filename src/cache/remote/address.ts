import {fail, ok, type Result} from '../../model/result.js';

/** Where a remote cache is. */
export interface Address {
  /** Without a trailing slash and without a password, for messages. */
  readonly base: string;
  /** What to send as `Authorization`, if the address had a user in it. */
  readonly authorization: string | undefined;
}

/** Reads the address of a remote cache: http or https, perhaps with user and password, perhaps with a path. Fails with CONFIG. */
export function parseAddress(text: string): Result<Address> {
  const hint = 'such as https://cache.example.org/python';
  if (!URL.canParse(text)) return fail('CONFIG', 'the address of the remote cache is not a URL', {hint});
  const url = new URL(text);
  if (!['http:', 'https:'].includes(url.protocol)) {
    return fail(
      'CONFIG',
      `unsupported protocol ${url.protocol} in the address of the remote cache (supported: http, https)`,
      {hint},
    );
  }
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
  return ok({base: url.origin + url.pathname.replace(/\/+$/, ''), authorization});
}

function plain(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
