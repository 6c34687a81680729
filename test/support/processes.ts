import type {ChildProcess} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {setTimeout as wait} from 'node:timers/promises';

/** Asks again and again until the answer is yes; gives up after `limitMs` (only a broken program gets there). Works while `setTimeout` is held, too. */
export async function eventually(holds: () => boolean, limitMs = 60_000): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > end) return false;
    await wait(5);
  }
  return true;
}

/** Whether a process runs (a zombie, which only waits to be noticed, does not). */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3));
  } catch {
    return false;
  }
}

/** The exit code and signal of a child, once it has ended. */
export function ending(
  child: ChildProcess,
): Promise<{readonly code: number | null; readonly signal: string | null}> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({code: child.exitCode, signal: child.signalCode});
  }
  return new Promise((done) => {
    child.once('exit', (code, signal) => {
      done({code, signal});
    });
  });
}
