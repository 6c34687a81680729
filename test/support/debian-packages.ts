/** Debian's packages for tests, unpacked into the tests' cache directory, not installed. */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';

const CACHE =
  process.env['FLASHFREEZE_TEST_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'flashfreeze-test');

/**
 * The directory that has the packages' files, as the root of a file system has them. Where they cannot be had it says why on
 * standard error and gives undefined.
 * @param name of the directory
 * @param works throws when what was unpacked cannot be used
 */
export function unpackPackages(
  name: string,
  packages: readonly string[],
  works: (root: string) => void = () => undefined,
): string | undefined {
  const root = join(CACHE, name);
  if (existsSync(root)) return root;
  mkdirSync(CACHE, {recursive: true});
  const folder = mkdtempSync(join(CACHE, `${name}-`));
  const run = (file: string, ...args: string[]): void => {
    execFileSync(file, args, {cwd: folder, stdio: ['ignore', 'ignore', 'pipe']});
  };
  try {
    try {
      run('apt-get', '-q', 'download', ...packages);
    } catch {
      // The lists of packages are missing, or older than what the mirror has.
      run('apt-get', '-q', 'update');
      run('apt-get', '-q', 'download', ...packages);
    }
    for (const deb of readdirSync(folder).filter((file) => file.endsWith('.deb')))
      run('dpkg', '-x', deb, 'root');
    works(join(folder, 'root'));
    if (!existsSync(root)) renameSync(join(folder, 'root'), root);
    return root;
  } catch (error) {
    process.stderr.write(
      `no ${packages.join(', ')}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return undefined;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}
