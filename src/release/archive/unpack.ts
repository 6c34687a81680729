import {spawn} from 'node:child_process';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {extract, type Headers} from 'tar-stream';
import {messageOf} from '../../model/errno.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {TarEntry} from './tar.js';

/** More than any installation takes. */
const MAX_BYTES = 2 ** 31 - 1;
/** xz needs a ninth of this for what its highest level packs. */
const MAX_MEMORY = '600MiB';

/** The members of a `.tar.xz`. Fails with IO when it cannot be read. */
export async function unpack(path: string): Promise<Result<readonly TarEntry[]>> {
  const entries: TarEntry[] = [];
  const read = await readMembers(path, MAX_BYTES, async ({name, mode = 0o644, linkname}, member) => {
    const content = await buffer(member);
    entries.push({path: name, mode, content: linkname ? {link: linkname} : content});
  });
  return read.ok ? ok(entries) : read;
}

/**
 * Reads a `.tar.xz`, a member at a time: `visit` reads all of it. Fails with IO when it cannot be read, or unpacks to more than `limit`
 * bytes.
 */
export async function readMembers(
  path: string,
  limit: number,
  visit: (header: Headers, member: Readable) => Promise<void>,
): Promise<Result<void>> {
  const xz = spawn('xz', ['-dc', `--memlimit-decompress=${MAX_MEMORY}`, '--', path], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const state = {isBetween: true, bytes: 0};
  const most = Math.min(limit, MAX_BYTES);
  let said = '';
  xz.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(0, 10_000)));
  const ended = new Promise<number | null>((resolve, reject) => {
    xz.on('error', reject);
    xz.on('close', resolve);
  });
  try {
    const members = extract();
    const source = Readable.from(limited(xz.stdout, most, state));
    source.on('error', (error) => {
      members.destroy(error);
    });
    source.pipe(members);
    for await (const member of members) {
      state.isBetween = false;
      const {name, size = 0} = member.header;
      // Attributes may say anything, and the parser would wait for it.
      if (!Number.isSafeInteger(size) || size < 0) throw new Error(`${name} has an invalid size`);
      await visit(member.header, member);
      Object.assign(state, {isBetween: true, bytes: 0});
    }
    if ((await ended) !== 0) throw new Error(said);
    return ok();
  } catch (error) {
    xz.kill('SIGKILL');
    // What it has written and nobody reads would keep it from being closed.
    xz.stdout.destroy();
    await ended.catch(() => undefined);
    return fail('IO', `cannot read the archive ${path}`, {details: said || messageOf(error)});
  }
}

/** The parser keeps names and attributes of a member in memory, as long as their headers say that they are. */
const MAX_HEADER_BYTES = 1 << 20;

async function* limited(
  parts: AsyncIterable<Buffer>,
  limit: number,
  state: {readonly isBetween: boolean; bytes: number},
): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const part of parts) {
    total += part.length;
    if (total > limit) throw new Error(`it unpacks to more than ${limit} bytes`);
    if (state.isBetween) state.bytes += part.length;
    if (state.bytes > MAX_HEADER_BYTES) throw new Error('the header of a member is too long');
    yield part;
  }
}
