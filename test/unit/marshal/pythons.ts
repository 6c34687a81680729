import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const SCRIPT = fileURLToPath(new URL('describe.py', import.meta.url));

/** What `describe.py` prints: bytes that a Python wrote, and what that Python says they mean. */
export interface Sample {
  readonly name: string;
  /** Of the marshal format. */
  readonly version: number;
  readonly data: Uint8Array;
  readonly description: string;
}

/** Lets a Python describe tricky values and these modules of its standard library, with strings hashed by `hashSeed`. */
export async function samplesOf(
  executable: string,
  modules: readonly string[],
  hashSeed: number,
): Promise<readonly Sample[]> {
  const {stdout} = await promisify(execFile)(executable, ['-B', '-S', SCRIPT, ...modules], {
    env: {...process.env, PYTHONHASHSEED: String(hashSeed)},
    maxBuffer: 2 ** 28,
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const {data, ...rest} = JSON.parse(line) as Omit<Sample, 'data'> & {data: string};
      return {...rest, data: new Uint8Array(Buffer.from(data, 'base64'))};
    });
}
