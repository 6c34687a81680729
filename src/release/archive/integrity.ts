import {createHash} from 'node:crypto';
import {lstat} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {hashFile} from '../../fs/files.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {Manifest, ReadManifest} from '../manifest.js';
import type {FileRecord} from './archive.js';
import {readMembers} from './unpack.js';

/**
 * Whether the archive beside a manifest matches it, as a whole and file by file. The digest comes first; then no more is unpacked than
 * the manifest says that there is. Fails with VERIFY when there is no archive, when the names do not
 * belong together, and when something differs, which is named.
 * @param manifestOnly check the names only
 */
export async function checkArchive(
  {path: manifestPath, manifest}: ReadManifest,
  manifestOnly = false,
): Promise<Result<void>> {
  const named = checkNames(manifestPath, manifest);
  if (!named.ok || manifestOnly) return named;
  const {archive, files} = manifest;
  const path = join(dirname(manifestPath), archive.name);
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) {
    return fail('VERIFY', `the archive ${path} not found, so nothing of it was checked`, {
      hint: 'put it beside its manifest; to check the manifest alone, pass --manifest-only',
    });
  }
  const hashed = await hashFile(path);
  if (!hashed.ok) return hashed;
  const isWhole = hashed.value.digest === archive.sha256;
  const names = await compareMembers(path, files);
  // A file that is not the archive need not be one at all.
  if (!names.ok && isWhole) return names;
  const different = names.ok ? names.value : [];
  if (isWhole && different.length === 0) return ok();
  return fail('VERIFY', `${path} does not match its manifest`, {
    details:
      different.slice(0, 20).join('\n') || `its sha256 is ${hashed.value.digest}, not ${archive.sha256}`,
  });
}

/** An old manifest under the name of a new release would still be signed correctly. */
function checkNames(path: string, {name, python, archive}: Manifest): Result<void> {
  const told = {manifest: basename(path), archive: archive.name};
  const expected = {manifest: `${name}.manifest.json`, archive: `${name}.tar.xz`};
  const version = /^cpython-(\d[^-]*)-/.exec(name)?.[1] ?? python;
  if (told.manifest !== expected.manifest)
    return fail('VERIFY', `${path} is the manifest of another release: of ${name}`);
  if (told.archive !== expected.archive)
    return fail('VERIFY', `${path} names the archive ${archive.name} instead of ${expected.archive}`);
  if (version !== python)
    return fail('VERIFY', `${path} is of Python ${python}, but its name says ${version}`);
  return ok();
}

const MOST_WRONG = 1000;
/** The largest header of a member, with what pads its content. */
const MEMBER_BYTES = 4096;

/** The names of members that are not as in the manifest, and of those that are missing. */
async function compareMembers(
  path: string,
  files: readonly FileRecord[],
): Promise<Result<readonly string[]>> {
  const told = new Map(files.map((record) => [record.path, record]));
  const wrong: string[] = [];
  const seen = new Set<string>();
  const content = files.reduce((sum, record) => sum + ('size' in record ? record.size : 0), 0);
  const read = await readMembers(
    path,
    content + MEMBER_BYTES * (files.length + 16),
    async (header, member) => {
      const {name, mode = 0o644, linkname, type} = header;
      const record = told.get(name);
      const hash = createHash('sha256');
      let size = 0;
      await pipeline(
        member,
        async function* (parts: AsyncIterable<Buffer>) {
          for await (const part of parts) {
            size += part.length;
            yield part;
          }
        },
        hash,
      );
      const isSame =
        record !== undefined &&
        !seen.has(name) &&
        ('link' in record
          ? type === 'symlink' && record.link === linkname
          : type === 'file' &&
            record.mode === mode &&
            record.size === size &&
            record.sha256 === hash.digest('hex'));
      if (!isSame) wrong.push(name);
      seen.add(name);
      if (wrong.length > MOST_WRONG) throw new Error(`more than ${MOST_WRONG} of its files differ`);
    },
  );
  if (!read.ok) return read;
  return ok([...wrong, ...files.map((record) => record.path).filter((name) => !seen.has(name))]);
}
