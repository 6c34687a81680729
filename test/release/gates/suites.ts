/** node test/release/run.mjs suites [--opt FLAGS] [--source DIR] [--directory DIR] [--jobs 2] */
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {basename, join} from 'node:path';
import {compareReleases} from '../../../src/release/reproduction/reproduce.js';
import {say} from '../../../support/gate-options.js';
import {PACKAGE} from '../../../support/rig.js';
import {debianRoot, runInRoot, type RootName} from '../../../support/debian-root.js';
import {release, type Site, withSite} from '../../support/release-rig.js';

const SUITES = ['bookworm', 'trixie'] as const;
type Suite = (typeof SUITES)[number];
/** Of one version in both suites. */
const CLANG = 'clang-19';

/**
 * A root of the suite that this machine has gives the machine's own release. The C of images is the same by another
 * compiler and in another suite, and so are the objects when the compiler is of the same version.
 */
export function gate(words: readonly string[]): Promise<boolean> {
  return withSite(words, [], async (site) => {
    const roots = new Map<Suite, string>();
    for (const suite of SUITES) {
      const root = await debianRoot(`release-root-${suite}` satisfies RootName);
      if (root === undefined) return false;
      roots.set(suite, root);
    }
    const own = SUITES.find((suite) => suite === codename());
    const builds: string[] = [];
    let isSame = true;
    if (own !== undefined) {
      const here = await release(site, 'system', site.source);
      const there = join(site.folder, 'root');
      await inRoot(roots.get(own) ?? '', site, [
        ...['release', '--build-dir', join(there, 'build'), '--out', join(there, 'out')],
        ...['--cache-dir', join(there, 'cache')],
      ]);
      builds.push(join(site.folder, 'system/build'), join(there, 'build'));
      isSame = await isSameRelease(here, join(there, 'out', basename(here)), site);
    }
    for (const suite of SUITES) {
      const build = join(site.folder, suite);
      await inRoot(roots.get(suite) ?? '', site, [
        ...['build', '--build-dir', build, '--cc', CLANG, '--cache-dir', join(build, 'cache')],
      ]);
      builds.push(build);
    }
    const [first = '', ...others] = builds;
    const code = others.map((other) => isSameFor('.c', ['images'], first, other));
    const [one = '', two = ''] = builds.slice(-2);
    const objects = isSameFor('.o', ['images'], one, two);
    return isSame && objects && !code.includes(false);
  });
}

function codename(): string | undefined {
  return /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
}

/** Runs flashfreeze on the source in a root. Throws when it fails. */
async function inRoot(root: string, {folder, source, words, context}: Site, own: readonly string[]) {
  const done = await runInRoot(
    root,
    [
      ...['node', join(PACKAGE, 'bin/flashfreeze.mjs'), ...own, '--source', source],
      ...['--jobs', String(context.jobs.width), ...words],
    ],
    {binds: {[PACKAGE]: 'read', [folder]: 'write'}, cwd: folder},
  );
  if (!done.ok) throw new Error(done.failure.message);
  if (done.value.exitCode !== 0) throw new Error(done.value.stderr);
}

async function isSameRelease(here: string, there: string, {context}: Site): Promise<boolean> {
  const compared = await compareReleases(here, there, context);
  if (!compared.ok) throw new Error(compared.failure.message);
  const {differences, files} = compared.value;
  for (const {path, what} of differences) say(`  ${path}: ${what}`);
  say(`the system and a root of its suite: ${differences.length} differences in ${files} files`);
  return differences.length === 0;
}

/** Compares the files of a kind that two build directories have. */
function isSameFor(suffix: string, folders: readonly string[], one: string, other: string): boolean {
  const names = folders.flatMap((folder) => readdirSync(join(one, folder)).map((name) => join(folder, name)));
  const all = names.filter((name) => name.endsWith(suffix));
  const differing = all.filter(
    (name) =>
      !existsSync(join(other, name)) ||
      !readFileSync(join(one, name)).equals(readFileSync(join(other, name))),
  );
  say(
    `${one}, ${other}: of ${all.length} ${suffix} files, ${differing.length} differ ${differing.join(' ')}`,
  );
  return all.length > 0 && differing.length === 0;
}
