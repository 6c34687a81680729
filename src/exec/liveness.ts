import {readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {errnoOf} from '../model/errno.js';

/** Identifies a process even after its process id has been reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in clock ticks since the machine did (Linux); empty where that is not known. */
  readonly start: string;
  readonly host: string;
  /** Names the time since the machine last started (Linux); empty where that is not known. */
  readonly boot: string;
}

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    start: processStart(process.pid) ?? '',
    host: hostname(),
    boot: readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
  };
}

/** Whether a process is still running, as far as can be told from here. */
export function liveness(identity: ProcessIdentity): 'running' | 'ended' | 'unknown' {
  const own = ownIdentity();
  if (identity.host !== own.host) return 'unknown';
  if (identity.boot !== own.boot) return 'ended';
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if (errnoOf(error) === 'ESRCH') return 'ended';
  }
  if (own.start === '') return 'running';
  return processStart(identity.pid) === identity.start ? 'running' : 'ended';
}

/**
 * The start time of a living process, from /proc/<pid>/stat: field 22 of proc(5). The second field, the name in
 * brackets, may hold blanks and brackets of its own, so fields are counted from the last bracket. Undefined when there
 * is no such process, or only its zombie, or no /proc.
 */
export function processStart(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return fields[19];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
