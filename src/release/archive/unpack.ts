import {execFile} from 'node:child_process';
import {Readable} from 'node:stream';
import {promisify} from 'node:util';
import {messageOf} from '../../model/errno.js';
import {fail, ok, type Result} from '../../model/result.js';
import {type TarEntry, readTar} from './tar.js';

/** More than any installation takes. */
const MAX_BYTES = 2 ** 31 - 1;

/** The members of a `.tar.xz`. Fails with IO when it cannot be read. */
export async function unpack(path: string): Promise<Result<readonly TarEntry[]>> {
  try {
    const options = {encoding: 'buffer', maxBuffer: MAX_BYTES} as const;
    const {stdout} = await promisify(execFile)('xz', ['-dc', '--', path], options);
    return ok(await readTar(Readable.from([stdout])));
  } catch (error) {
    return fail('IO', `cannot read the archive ${path}`, {details: messageOf(error)});
  }
}
