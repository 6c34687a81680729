import type {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {extract, pack, type Headers} from 'tar-stream';

/** One member of an archive. */
export interface TarEntry {
  /** Path with slashes, relative. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array | {readonly link: string};
}

/**
 * The bytes of an archive with these members, in their order. It contains nothing else: owner root by number, no names
 * of users, one time for all (in seconds since the epoch). The stream fails as `entries` does.
 */
export function tarOf(entries: AsyncIterable<TarEntry>, mtime: number): Readable {
  const archive = pack();
  const add = (header: Headers, body?: Buffer): Promise<void> =>
    new Promise((done, fail) => {
      archive.entry(header, body, (error) => {
        if (error) fail(error);
        else done();
      });
    });
  const addAll = async (): Promise<void> => {
    for await (const {path, mode, content} of entries) {
      const header = {name: path, mode, uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(mtime * 1000)};
      if ('link' in content) await add({...header, type: 'symlink', linkname: content.link});
      else await add(header, Buffer.from(content.buffer, content.byteOffset, content.length));
    }
    archive.finalize();
  };
  addAll().catch((error: unknown) => {
    archive.destroy(error as Error);
  });
  return archive;
}

/** The members of an archive, in their order. Throws for one that is cut short. */
export async function readTar(archive: Readable): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  const members = archive.pipe(extract());
  for await (const member of members) {
    const {name, mode = 0o644, linkname} = member.header;
    const content = await buffer(member);
    entries.push({path: name, mode, content: linkname ? {link: linkname} : content});
  }
  return entries;
}
