import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {hashFile} from '../../fs/files.js';
import {fail, ok, type Result} from '../../model/result.js';
import {recordOf} from './archive.js';
import {type Manifest, readManifest} from '../manifest.js';
import {unpack} from './unpack.js';

/**
 * Whether the archive beside a manifest matches it, as a whole and file by file. A missing archive
 * is not an error. Fails with USAGE when there is no manifest, and with VERIFY, which names what differs.
 */
export async function checkArchive(manifestPath: string): Promise<Result<Manifest>> {
  const manifest = await readManifest(manifestPath);
  if (!manifest.ok) return manifest;
  const {archive, files} = manifest.value;
  const path = join(dirname(manifestPath), archive.name);
  if (!existsSync(path)) return manifest;
  const entries = await unpack(path);
  if (!entries.ok) return entries;
  const told = new Map(files.map((record) => [record.path, JSON.stringify(record)]));
  const wrong = entries.value.filter((entry) => told.get(entry.path) !== JSON.stringify(recordOf(entry)));
  const missing = files.filter(({path: name}) => !entries.value.some((entry) => entry.path === name));
  const hashed = await hashFile(path);
  if (!hashed.ok) return hashed;
  const names = [...wrong, ...missing].map(({path: name}) => name);
  if (hashed.value.digest === archive.sha256 && names.length === 0) return ok(manifest.value);
  return fail('VERIFY', `${path} does not match its manifest`, {
    details: names.slice(0, 20).join('\n') || `its sha256 is ${hashed.value.digest}, not ${archive.sha256}`,
  });
}
