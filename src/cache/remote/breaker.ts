/**
 * Counts what goes wrong with a server, and says when it is time to leave it alone for the rest of a run: a server that hangs,
 * lies, or is slow must not cost more than the work that it saves.
 */
export interface Breaker {
  /** Whether the server may be asked. */
  readonly closed: () => boolean;
  /** No answer, or one that makes no sense. Before the first good answer one is enough: nobody is there. */
  readonly failed: (reason: string) => void;
  /** An answer that was of no use (damaged, slow): many of them end it, too. */
  readonly poor: (reason: string) => void;
  readonly succeeded: () => void;
}

const LIMIT = 12;
const FAILURE = 4;
const POOR = 1;

/** Makes a breaker; `opened` is called at most once, with the last reason. */
export function createBreaker(opened: (reason: string) => void): Breaker {
  let strikes = 0;
  let hasAnswered = false;
  const add = (weight: number, reason: string): void => {
    if (strikes >= LIMIT) return;
    strikes += weight;
    if (strikes >= LIMIT) opened(reason);
  };
  return {
    closed: () => strikes < LIMIT,
    failed(reason) {
      add(hasAnswered ? FAILURE : LIMIT, reason);
    },
    poor(reason) {
      add(POOR, reason);
    },
    succeeded() {
      hasAnswered = true;
    },
  };
}
