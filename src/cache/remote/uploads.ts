import {readRegular} from '../../fs/regular-file.js';
import pLimit from 'p-limit';
import {digestOf, type Digest} from '../../model/digest.js';
import type {ActionRecord} from '../record.js';
import type {Known} from './known.js';
import {EMPTY, encodeResult, MAX_OUTPUT_BYTES} from './result-message.js';
import type {Server} from './server.js';
import type {SigningKey} from './signing.js';
import type {Entry} from './transport.js';

/** Uploads results during the build. */
export interface Uploads {
  /** `files` has the path of every output by name. Returns at once. */
  readonly offer: (key: Digest, record: ActionRecord, files: Readonly<Record<string, string>>) => void;
  /** Waits for the uploads. */
  readonly finish: () => Promise<void>;
}

const UPLOADS_AT_ONCE = 8;

/** Existing entries are not replaced, except files whose content does not match their digest. */
export function createUploads(server: Server, known: Known, signingKey: SigningKey | undefined): Uploads {
  async function uploadBlob(
    digest: Digest,
    size: number,
    read: () => Promise<Uint8Array | undefined>,
  ): Promise<boolean> {
    if (digest === EMPTY || known.present.has(digest)) return true;
    const entry: Entry = {part: 'cas', digest, size};
    if (!known.wrong.has(digest)) {
      const there = await server.head(entry);
      if (there.kind === 'found' && (there.value ?? size) === size) return true;
      if (there.kind !== 'found' && there.kind !== 'missing') return false;
    }
    const body = await read();
    if (body === undefined || !(await server.put(entry, body))) return false;
    known.present.add(digest);
    known.wrong.delete(digest);
    return true;
  }

  async function upload(
    key: Digest,
    record: ActionRecord,
    files: Readonly<Record<string, string>>,
  ): Promise<void> {
    if (!server.takes()) return;
    const keyRecord = Buffer.from(record.keyRecord);
    const entry: Entry = {part: 'ac', digest: key, size: keyRecord.length};
    const there = await server.head(entry);
    // A result whose files are missing is repaired by uploading its files.
    if (there.kind === 'found' ? !known.incomplete.has(key) : there.kind !== 'missing') return;
    if (!(await uploadBlob(key, keyRecord.length, () => Promise.resolve(keyRecord)))) return;
    for (const {name, digest, size} of record.outputs) {
      const file = files[name];
      if (file === undefined) return;
      if (!(await uploadBlob(digest, size, () => readExactly(file, digest)))) return;
    }
    // Last, so that every reader finds everything that it refers to.
    if (there.kind === 'missing') await server.put(entry, encodeResult(key, record, signingKey));
  }

  const slots = pLimit(UPLOADS_AT_ONCE);
  const running = new Set<Promise<void>>();
  return {
    offer(key, record, files) {
      if (record.outputs.some(({size}) => size > MAX_OUTPUT_BYTES)) return;
      const done = slots(upload, key, record, files).finally(() => running.delete(done));
      running.add(done);
    },
    async finish() {
      await server.finish(Promise.all(running));
    },
  };
}

/** The content of a file, if it has not changed since its result was made. */
async function readExactly(path: string, digest: Digest): Promise<Uint8Array | undefined> {
  const content = await readRegular(path).catch(() => undefined);
  return content !== undefined && digestOf(content) === digest ? content : undefined;
}
