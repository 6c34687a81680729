import {spawnSync} from 'node:child_process';

/** What `ls` appends to the ten characters of the permissions of a path with an access control list. */
const MARK = /^.{10}\+/;

const known = new Map<string, boolean>();

/**
 * Whether a path has an access control list (acl(5)). `stat` does not say it, and Node.js reads no extended attributes, but GNU's `ls -l` shows it. Where
 * there is no `ls`, there may be one.
 */
export function hasAcl(path: string): boolean {
  const before = known.get(path);
  if (before !== undefined) return before;
  const listed = spawnSync('ls', ['-ldn', '--', path], {
    encoding: 'latin1',
    env: {PATH: process.env['PATH'], LC_ALL: 'C'},
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (listed.status !== 0) return true;
  const has = MARK.test(listed.stdout);
  known.set(path, has);
  return has;
}
