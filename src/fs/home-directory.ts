import {userInfo} from 'node:os';
import {isAbsolute} from 'node:path';

/** What Debian names as the home of users without one (base-passwd): nobody makes it. */
const NONE = '/nonexistent';

/**
 * The home directory: `$HOME`, else that of the user's account. A relative or empty `$HOME` does not count, because it would be below the
 * working directory, where others may have put files. The user of a container may have no account.
 */
export function homeDirectory(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const told = environment['HOME'] ?? '';
  if (isAbsolute(told)) return told;
  try {
    const {homedir} = userInfo();
    return isAbsolute(homedir) ? homedir : NONE;
  } catch {
    return NONE;
  }
}
