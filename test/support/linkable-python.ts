import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';

/** A Python that every user of the machine can read and relink. */
export const SYSTEM_PYTHON = '/usr/bin/python3';

/** Whether the machine has it. */
export function hasLinkablePython(): boolean {
  const code =
    'import os, sys, sysconfig; v = sysconfig.get_config_vars(); ' +
    'sys.exit(sys.version_info < (3, 10) or not os.path.exists(os.path.join(v["LIBPL"], v["LIBRARY"])))';
  return existsSync(SYSTEM_PYTHON) && spawnSync(SYSTEM_PYTHON, ['-c', code]).status === 0;
}
