import {execFile, execFileSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
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

/** The interpreters on PATH and in pyenv's folder, one for each of these versions (`3.12`), if there is one. */
export function findPythons(versions: readonly string[]): ReadonlyMap<string, string> {
  const root = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const found = new Map<string, string>();
  for (const executable of [...installed(root), 'python3']) {
    const version = versionOf(executable);
    if (version !== undefined && versions.includes(version) && !found.has(version))
      found.set(version, executable);
  }
  return found;
}

function installed(root: string): string[] {
  try {
    const names = readdirSync(root).filter((name) => /^3\.\d\d/.test(name));
    return names.sort().map((name) => join(root, name, 'bin', 'python3'));
  } catch {
    return [];
  }
}

function versionOf(executable: string): string | undefined {
  try {
    const script = 'import sys; print("%d.%d" % sys.version_info[:2])';
    return execFileSync(executable, ['-I', '-S', '-c', script], {encoding: 'utf8', stdio: 'pipe'}).trim();
  } catch {
    return undefined;
  }
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
