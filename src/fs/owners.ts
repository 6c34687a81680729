import {lstatSync, readFileSync, type Stats} from 'node:fs';
import {userInfo} from 'node:os';
import {dirname} from 'node:path';
import {hasAcl} from './acl.js';

/*
 * Who owns a path, and who else may change it. Files decide what runs, so what another user may write decides what runs as this
 * user. Root is trusted, because root can do anything anyway.
 */

/** What `stat` says of permissions. */
export type Ownership = Pick<Stats, 'uid' | 'gid' | 'mode'>;

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** The user of this process, as the file system sees it. */
export function ownUser(): number {
  return process.geteuid?.() ?? 0;
}

/** Whether a file belongs to somebody other than this user and root. */
export function isForeign({uid}: Pick<Stats, 'uid'>): boolean {
  return uid !== ownUser() && uid !== 0;
}

/** Whether this is the user for whom `sudo` runs this process: root acts for them. */
export function isSudoInvoker(uid: number): boolean {
  return ownUser() === 0 && process.env['SUDO_UID'] === String(uid);
}

/** Whether the permissions of what lies at a path let other users write to it. */
export function othersMayWrite(path: string, {gid, mode}: Ownership): boolean {
  return (mode & OTHERS_WRITE) !== 0 || ((mode & GROUP_WRITES) !== 0 && !isOwnGroup(path, gid));
}

/** Whether others may read it, or list it. */
export function othersMayRead(path: string, {gid, mode}: Ownership): boolean {
  return (mode & 0o004) !== 0 || ((mode & 0o040) !== 0 && !isOwnGroup(path, gid));
}

/** Whether only this user and root can change what lies at a path: a link at its end counts as itself. */
export function isOnlyOurs(path: string, stats: Ownership): boolean {
  return !isForeign(stats) && !othersMayWrite(path, stats);
}

/**
 * The first directory above a path that lets other users replace what is in it: one of another user, or one that others may write to
 * and that is not sticky. Undefined if there is none. The path has no links in it, and need not exist.
 */
export function openDirectoryAbove(path: string): string | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const stats = lstatSync(folder, {throwIfNoEntry: false});
    if (stats !== undefined) {
      const replaceable = othersMayWrite(folder, stats) && (stats.mode & STICKY) === 0;
      const isTheirs = isForeign(stats) && !isSudoInvoker(stats.uid) && !isUnmapped(stats.uid);
      if (replaceable || isTheirs) return folder;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * Whether the permissions of a path's group are those of the user's own group, which has no other member: then it may write, as with a umask
 * of 002 on systems that give each user a group. Groups that are not in /etc/group are taken for shared. With an access control
 * list, these permissions are those of everyone whom the list names.
 */
export function isOwnGroup(path: string, gid: number): boolean {
  if (gid !== process.getgid?.()) return false;
  return (ownGroups.get(gid) ?? remember(gid)) && !hasAcl(path);
}

const ownGroups = new Map<number, boolean>();

function remember(gid: number): boolean {
  const is = hasOneMember(gid);
  ownGroups.set(gid, is);
  return is;
}

function hasOneMember(gid: number): boolean {
  try {
    const {username} = userInfo();
    const rows = readFileSync('/etc/group', 'utf8').split('\n');
    const row = rows.map((line) => line.split(':')).find(([, , id]) => id === String(gid));
    const members = (row?.[3] ?? '').split(',').filter((name) => name !== '' && name !== username);
    return row?.[0] === username && members.length === 0;
  } catch {
    return false;
  }
}

/**
 * In a user namespace, the files of users who are not part of it, such as the real root, seem to belong to the overflow user. The
 * directory / belongs to one of them there.
 */
export function isUnmapped(uid: number): boolean {
  try {
    const overflow = Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'));
    return uid === overflow && !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return false;
  }
}

/** A user in messages. */
export function nameOfUser(uid: number): string {
  try {
    const rows = readFileSync('/etc/passwd', 'utf8').split('\n');
    const row = rows.map((line) => line.split(':')).find(([, , id]) => id === String(uid));
    if (row?.[0] !== undefined) return `${row[0]} (${uid})`;
  } catch {
    // The number says enough.
  }
  return `the user ${uid}`;
}
