import {spawnSync} from 'node:child_process';

/** acl(5) in the form of its extended attribute: version 2, then tag, permissions and identifier of each entry. */
const SCRIPT = `
import os, struct, sys
path, user, permissions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
anyone = 0xffffffff
entries = [(1, 7, anyone), (2, permissions, user), (4, 0, anyone), (16, permissions, anyone), (32, 0, anyone)]
value = struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)
os.setxattr(path, 'system.posix_acl_access', value)
if os.path.isdir(path): os.setxattr(path, 'system.posix_acl_default', value)
`;

/**
 * Lets a user do what these permissions say, by an access control list, and also with what is made in a directory; its owner keeps all permissions, and others have
 * none. Returns false where the file system has no such lists.
 */
export function allow(path: string, user: number, permissions: number): boolean {
  return spawnSync('python3', ['-c', SCRIPT, path, String(user), String(permissions)]).status === 0;
}
