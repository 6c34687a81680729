import {z} from 'zod';
import {digestOf} from '../../model/digest.js';
import {fail, ok, type Result} from '../../model/result.js';
import {readHeader, readRuns} from './dump-format.js';

const schema = z.object({
  schema: z.literal('flashfreeze-snapshot/1'),
  /** The seed of string hashes. */
  seed: z.number(),
  /** The digest of the executable without it. */
  executable: z.string(),
  /** The digest of the scripts that ran in the processes of the imports; none in a release. */
  scripts: z.string().exactOptional(),
  /** The modules that were asked for. */
  selected: z.array(z.string()),
  /** The modules that the snapshot has imported, in this order. */
  modules: z.array(z.string()),
  /** Those that it cannot hold. */
  leftOut: z.array(z.object({module: z.string(), reason: z.string(), where: z.string().exactOptional()})),
  /** Those that are not in it because they import one of these. */
  importers: z.array(z.string()),
  /** Environment variables that Python code reads: all that a process of the imports has in its environment. */
  readVariables: z.array(z.string()),
  /** The directory in which the imports ran; null in a release. */
  ranIn: z.string().nullable(),
  /** How long the imports of both took when it was made; null in a release, which is the same wherever it is built. */
  milliseconds: z.number().nullable(),
  /** The digests of files that imports read, and of which they saw nothing but the content. */
  digests: z.record(z.string(), z.string()),
  /** The digest of the memory: of all pages that a start maps, and of the images. */
  memory: z.string(),
});

/** What a snapshot was made of. It is the end of the snapshot, which no start maps. */
export type SnapshotRecord = z.infer<typeof schema>;

/** The bytes of a record: its digest, and its text. */
export function encodeRecord(record: Omit<SnapshotRecord, 'schema'>): Buffer {
  const text = JSON.stringify({schema: 'flashfreeze-snapshot/1', ...record});
  return Buffer.from(`${digestOf(text)} ${text}\n`);
}

/** The record of a snapshot. Fails with SNAPSHOT when the bytes are none of this version, or were changed. */
export function readRecord(snapshot: Buffer): Result<SnapshotRecord> {
  const header = readHeader(snapshot);
  if (!header.ok) return header;
  const [, digest, text = ''] =
    /^([0-9a-f]+) (.*)\n$/s.exec(snapshot.toString('utf8', endOfRuns(snapshot), header.value.size)) ?? [];
  try {
    if (digest === digestOf(text)) return ok(schema.parse(JSON.parse(text)));
  } catch {
    // As below.
  }
  return fail('SNAPSHOT', 'the record of what the snapshot was made of cannot be read');
}

/** The digest of the pages of a snapshot, with or without its record, and of the images in the executable. */
export function memoryDigest(snapshot: Buffer, images: Buffer): string {
  const header = readHeader(snapshot);
  const pages = snapshot.subarray(header.ok ? header.value.headerSize : 0, endOfRuns(snapshot));
  return digestOf(Buffer.concat([pages, images]));
}

/** Where the pages end. */
function endOfRuns(snapshot: Buffer): number {
  const header = readHeader(snapshot);
  if (!header.ok) return 0;
  return Math.max(
    header.value.headerSize,
    ...readRuns(snapshot, header.value).map(({offset, size}) => offset + size),
  );
}
