/** Whether a program waits and nothing of it goes on: independent of how busy the machine is. */
import {readFileSync, readdirSync} from 'node:fs';

/**
 * The threads of a process group, and how often each has begun to wait, where all of them sleep. A thread that waits for a
 * processor does not sleep. Undefined where one is not asleep, or where the group has ended.
 */
export function sleepingGroup(group: number): string | undefined {
  const threads: string[] = [];
  for (const folder of groupThreads(group)) {
    const status = textOf(`${folder}/status`);
    if (!/^State:\t[SZ]/m.test(status)) return undefined;
    threads.push(`${folder}:${/^voluntary_ctxt_switches:\t(\d+)/m.exec(status)?.[1] ?? ''}`);
  }
  return threads.length === 0 ? undefined : threads.join(' ');
}

/** The directories in `/proc` of all threads of a process group. */
export function groupThreads(group: number): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && groupOf(name) === group)
    .flatMap((pid) => threadsOf(pid).map((thread) => `/proc/${pid}/task/${thread}`));
}

/** The field `pgrp` of proc_pid_stat(5), the third after the name. */
function groupOf(pid: string): number {
  const stat = textOf(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

/** Empty where the process has ended. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function threadsOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
