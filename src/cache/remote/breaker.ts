/**
 * A circuit breaker: counts failures of a server, and decides when to stop using it for the rest of a run. A server that hangs,
 * lies, or is slow must not cost more time than it saves.
 */
export interface Breaker {
  /** Whether requests may be sent. */
  readonly closed: () => boolean;
  /** No response, or an invalid one. Before the first valid response, one failure opens the breaker: the server is unreachable. */
  readonly failed: (reason: string) => void;
  /** A useless response (damaged, slow): many of them open the breaker, too, or one that cost as much as many. */
  readonly poor: (reason: string, weight?: number) => void;
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
    poor(reason, weight = POOR) {
      add(weight, reason);
    },
    succeeded() {
      hasAnswered = true;
    },
  };
}
