import {startWatchdog, type Watchdog} from './watchdog.js';

/**
 * The process groups that are running now. However our own process ends, they end with it: a handler for the end of
 * the process and for the signals that end it kills what is still there, and a watchdog does when there was no time
 * for that (SIGKILL).
 */

/** The signals by which people and systems end a process. */
export const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndingSignal = (typeof ENDING_SIGNALS)[number];

const running = new Set<number>();

/** Sends a signal to every process of a group. A group that has already ended is not an error. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: no process left. EPERM: only processes of another user are left, which we may not signal.
  }
}

/** Kills every running group at once. */
function killGroups(): void {
  for (const group of running) signalGroup(group, 'SIGKILL');
}

/** A listener for a signal keeps the process alive, so after the killing the signal is raised again without it. */
function endOnSignal(signal: NodeJS.Signals): void {
  // Another listener exists (`abortOnSignals`), which decides when the process ends.
  if (process.listenerCount(signal) > 1) return;
  killGroups();
  process.removeListener(signal, endOnSignal);
  process.kill(process.pid, signal);
}

/** Watches over one group. */
export interface GroupGuard {
  /** Notes the group as running. `leader` is the process id of its first process, which is the id of the group. */
  readonly track: (leader: number) => void;
  /** Kills the remaining processes of the group, and stops watching. */
  readonly release: () => void;
}

/** From now on, a signal ends this process at once, because it has no handler any more; the watchdog ends the groups. */
export function leaveSignalsAlone(): void {
  listens = false;
  for (const signal of ENDING_SIGNALS) process.removeListener(signal, endOnSignal);
}

let listens = true;
let guards = 0;
let watchdog: Watchdog | undefined;

/**
 * Call before a group is started: a signal that comes between the start and `track` is then handled after both, as
 * signal handlers run only between two turns of the event loop.
 */
export function guardGroup(): GroupGuard {
  let group: number | undefined;
  if (guards === 0) {
    process.on('exit', killGroups);
    if (listens) for (const signal of ENDING_SIGNALS) process.on(signal, endOnSignal);
  }
  guards += 1;
  watchdog ??= startWatchdog();
  return {
    track(leader) {
      group = leader;
      running.add(leader);
      watchdog?.watch(leader);
    },
    release() {
      if (group !== undefined) {
        signalGroup(group, 'SIGKILL');
        running.delete(group);
        watchdog?.forget(group);
      }
      guards -= 1;
      if (guards > 0) return;
      process.removeListener('exit', killGroups);
      for (const signal of ENDING_SIGNALS) process.removeListener(signal, endOnSignal);
    },
  };
}
