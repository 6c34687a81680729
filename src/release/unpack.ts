import {execFile} from 'node:child_process';
import {dirname, join} from 'node:path';
import {Readable} from 'node:stream';
import {promisify} from 'node:util';
import {messageOf} from '../model/errno.js';
import {fail, ok, type Result} from '../model/result.js';
import type {Manifest} from './manifest.js';
import {type TarEntry, readTar} from './tar.js';

/** More than any installation takes. */
const MAX_BYTES = 2 ** 31 - 1;

/** What is in the archive that lies beside a manifest. Fails with IO when it cannot be read. */
export async function unpack(manifestPath: string, manifest: Manifest): Promise<Result<readonly TarEntry[]>> {
  const path = join(dirname(manifestPath), manifest.archive.name);
  try {
    const options = {encoding: 'buffer', maxBuffer: MAX_BYTES} as const;
    const {stdout} = await promisify(execFile)('xz', ['-dc', '--', path], options);
    return ok(await readTar(Readable.from([stdout])));
  } catch (error) {
    return fail('IO', `the archive ${path} cannot be read`, {details: messageOf(error)});
  }
}
