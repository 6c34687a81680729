import type {JobTurn} from '../model/action-spec.js';
import {joinJobserver, serveJobs, TOKEN, type Invitation, type Jobserver} from './jobserver.js';
import {readMakeFlags} from './make-flags.js';

/**
 * Slots for concurrent jobs, shared with parent and child makes: one job runs in a slot. As in every make,
 * the first slot is implicit; each further one is a token, either of our own or of a jobserver.
 */
export interface JobSlots {
  /** The expected number of concurrent jobs, for the size of process pools. */
  readonly width: number;
  /** Waits for a slot and does the work in it. Among jobs that wait, those of an earlier turn get slots first. */
  readonly run: <T>(work: () => Promise<T>, turn?: JobTurn) => Promise<T>;
  /**
   * Does work, itself in a slot, that starts a make, which takes the slots of further jobs from here. The argument is undefined if
   * that is not possible.
   */
  readonly shared: <T>(work: (invitation: Invitation | undefined) => Promise<T>) => Promise<T>;
  /** Returns all tokens. Call it at the end; also done when the process exits. */
  readonly close: () => void;
}

const TURNS: readonly JobTurn[] = ['early', 'normal', 'late'];

/** The source of tokens. */
interface Tokens {
  readonly take: () => number | undefined;
  readonly give: (token: number) => void;
  /** Whether others may return tokens without a notification. */
  readonly isShared: () => boolean;
}

/** The interval of polling for tokens that others may have returned (milliseconds). */
const ASK_EVERY_MS = 10;

/** Slots of our own, which a child make shares. */
export function localSlots(count: number): JobSlots {
  let free = count - 1;
  let lent = 0;
  let server: Jobserver | undefined;
  let guests = 0;
  const slots = slotsFrom({
    take() {
      const token = server === undefined ? (free > 0 ? TOKEN : undefined) : server.take();
      if (token === undefined) return undefined;
      if (server === undefined) free -= 1;
      lent += 1;
      return token;
    },
    give() {
      lent -= 1;
      if (server === undefined) free += 1;
      else server.give(TOKEN);
    },
    isShared: () => server !== undefined,
  });
  return {
    run: slots.run,
    width: count,
    async shared(work) {
      server ??= serveJobs(free);
      guests += 1;
      slots.wake();
      try {
        return await work(server?.invitation);
      } finally {
        guests -= 1;
        if (guests === 0) {
          // A make that was killed has not returned its tokens: all that are not in use here are free again.
          free = count - 1 - lent;
          server?.close();
          server = undefined;
          slots.wake();
        }
      }
    },
    close: () => undefined,
  };
}

/** Slots of the parent make, which child makes share. */
function guestSlots(jobserver: Jobserver, width: number): JobSlots {
  const slots = slotsFrom({take: jobserver.take, give: jobserver.give, isShared: () => true});
  // Tokens must be returned however this process exits, because make counts them.
  process.on('exit', slots.giveAllBack);
  return {
    run: slots.run,
    width,
    shared: (work) => work(jobserver.invitation),
    close() {
      process.removeListener('exit', slots.giveAllBack);
      slots.giveAllBack();
      jobserver.close();
    },
  };
}

/** The slots of a run, and why make's jobserver cannot be used, if so. */
export interface OpenedSlots {
  readonly slots: JobSlots;
  readonly isCutOff: boolean;
}

/**
 * The slots of a run: `wanted` of our own if the user gave a number, else those of the make that started us, else one for each
 * processor. Like a make, it runs one job at a time if there is a jobserver that cannot be reached.
 */
export function openSlots(
  wanted: number | undefined,
  processors: number,
  makeFlags: string | undefined,
): OpenedSlots {
  if (wanted !== undefined) return {slots: localSlots(wanted), isCutOff: false};
  const {jobserver: address} = readMakeFlags(makeFlags ?? '');
  if (address === undefined) return {slots: localSlots(processors), isCutOff: false};
  const jobserver = joinJobserver(address);
  if (jobserver === undefined) return {slots: localSlots(1), isCutOff: true};
  return {slots: guestSlots(jobserver, processors), isCutOff: false};
}

/** The implicit slot is not a token. */
type Slot = number | 'first';

interface TokenSlots extends Pick<JobSlots, 'run'> {
  /** Gives available slots to waiting jobs. */
  readonly wake: () => void;
  readonly giveAllBack: () => void;
}

function slotsFrom(tokens: Tokens): TokenSlots {
  const waiting: Readonly<Record<JobTurn, ((slot: Slot) => void)[]>> = {early: [], normal: [], late: []};
  const held: number[] = [];
  let firstIsFree = true;
  let timer: NodeJS.Timeout | undefined;

  function take(): Slot | undefined {
    if (firstIsFree) {
      firstIsFree = false;
      return 'first';
    }
    const token = tokens.take();
    if (token !== undefined) held.push(token);
    return token;
  }

  const next = (): ((slot: Slot) => void) | undefined =>
    TURNS.map((turn) => waiting[turn])
      .find(({length}) => length > 0)
      ?.shift();
  const isWanted = (): boolean => TURNS.some((turn) => waiting[turn].length > 0);

  function give(slot: Slot): void {
    // To jobs waiting here first: other processes poll.
    const job = next();
    if (job !== undefined) job(slot);
    else if (slot === 'first') firstIsFree = true;
    else giveBack(slot);
  }

  function giveBack(token: number): void {
    const at = held.indexOf(token);
    if (at < 0) return;
    held.splice(at, 1);
    tokens.give(token);
  }

  function giveAllBack(): void {
    for (const token of [...held]) giveBack(token);
  }

  function wake(): void {
    clearTimeout(timer);
    timer = undefined;
    while (isWanted()) {
      const slot = take();
      if (slot === undefined) break;
      next()?.(slot);
    }
    if (isWanted() && tokens.isShared()) timer = setTimeout(wake, ASK_EVERY_MS);
  }

  return {
    wake,
    giveAllBack,
    async run(work, turn = 'normal') {
      const slot = await new Promise<Slot>((resolve) => {
        waiting[turn].push(resolve);
        if (timer === undefined) wake();
      });
      try {
        return await work();
      } finally {
        give(slot);
      }
    },
  };
}
