import {isAbsolute, normalize} from 'node:path';
import {fail, ok, type Result} from '../model/result.js';

/** What a process finds in its own root directory: `target` there is `source` of this machine. */
export interface PrivateMount {
  readonly source: string;
  readonly target: string;
  /** Whether nothing can be written to it. */
  readonly isReadOnly?: boolean;
}

/**
 * Runs in a namespace of mounts of its own. Mounts an empty directory on the root, which has to be empty, and puts the sources of mounts at their
 * targets in it, in threes with `ro` or `rw` up to `--`; the rest is the command. Nothing is created but in the mounted directory: all its names are relative
 * to it (`.$2`), the shell ends at an unset variable (-u) or an error (-e), and no redirection replaces a file (-C).
 */
export const ENTER_PRIVATE_ROOT = `set -euC
root=$1; shift
refuse() { echo "flashfreeze: $1" >&2; exit 125; }
case $root in /?*) ;; *) refuse "no directory for a root: '$root'";; esac
cd "$root"
[ "$(pwd -P)" = "$root" ] || refuse "the path of the root is not its own: $root"
[ -z "$(ls -A .)" ] || refuse "the root is not empty: $root"
mount -t tmpfs -o mode=755 flashfreeze .
cd "$root"
[ "$(stat -f -c %T .)" = tmpfs ] && [ -z "$(ls -A .)" ] || refuse "the root is not mounted: $root"
while [ "$1" != -- ]; do
  case $2 in /?*) ;; *) refuse "no path in a root: '$2'";; esac
  [ ! -e ".$2" ] || refuse "it is there already: $2"
  if [ -d "$1" ]; then mkdir -p ".$2"; else mkdir -p ".$(dirname "$2")"; : > ".$2"; fi
  mount --rbind "$1" ".$2"
  if [ "$3" = ro ]; then mount -o remount,bind,ro ".$2"; fi
  shift 3
done
shift
exec "$@"`;

/** The namespaces in which everybody may mount, and those in which root may where the kernel has no others. */
export const NAMESPACES: readonly (readonly string[])[] = [
  ['--user', '--map-root-user', '--mount'],
  ['--mount'],
];

/**
 * The words before a command that enters the root. No mount is seen by other processes: propagation is private before there is one.
 * Fails with USAGE for mounts of which one would lie in another, and for paths that are not plain ones.
 * @param root an empty directory, by its real path
 */
export function privateRootCommand(
  root: string,
  mounts: readonly PrivateMount[],
  namespaces: readonly string[],
): Result<readonly string[]> {
  const odd = [root, ...mounts.flatMap(({source, target}) => [source, target])].find(
    (path) => !isPlain(path),
  );
  if (odd !== undefined) return fail('USAGE', `not a path that can be mounted: '${odd}'`);
  for (const [i, {target}] of mounts.entries()) {
    const other = mounts.find((each, k) => k !== i && `${each.target}/`.startsWith(`${target}/`))?.target;
    if (other !== undefined) {
      return fail('USAGE', `${target} cannot be mounted: ${other} lies in it`);
    }
  }
  const shown = mounts.flatMap(({source, target, isReadOnly = false}) => [
    source,
    target,
    isReadOnly ? 'ro' : 'rw',
  ]);
  return ok([
    ...['unshare', ...namespaces, '--propagation', 'private'],
    ...['sh', '-c', ENTER_PRIVATE_ROOT, 'sh', root, ...shown, '--'],
  ]);
}

function isPlain(path: string): boolean {
  return (
    isAbsolute(path) &&
    path !== '/' &&
    normalize(path) === path &&
    !path.endsWith('/') &&
    !path.includes('\0')
  );
}
