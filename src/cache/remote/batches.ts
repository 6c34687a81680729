/** Collects requests that come at the same time, and sends them as few. */
export interface BatchLimits {
  readonly bytes: () => number;
  readonly count: number;
  /** How many batches may be under way; meanwhile, the next ones grow. */
  readonly atOnce: number;
}

/**
 * Returns a function that requests one thing. `send` gives the answers to a batch, in its order, and never rejects.
 * @param sizeOf how much of a batch's bytes a thing takes
 */
export function createBatches<Q, A>(
  {bytes: maxBytes, count: maxCount, atOnce}: BatchLimits,
  sizeOf: (item: Q) => number,
  send: (items: readonly Q[]) => Promise<readonly A[]>,
): (item: Q) => Promise<A> {
  const waiting: {readonly item: Q; readonly resolve: (answer: Promise<A>) => void}[] = [];
  let running = 0;
  let isPlanned = false;

  function nextBatch(): typeof waiting {
    let bytes = 0;
    let count = 0;
    for (const {item} of waiting) {
      bytes += sizeOf(item);
      if (count > 0 && (bytes > maxBytes() || count >= maxCount)) break;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  function flush(): void {
    isPlanned = false;
    while (waiting.length > 0 && running < atOnce) {
      const batch = nextBatch();
      running += 1;
      const sent = send(batch.map(({item}) => item)).finally(() => {
        running -= 1;
        plan();
      });
      for (const [i, {resolve}] of batch.entries()) resolve(sent.then((answers) => answers[i] as A));
    }
  }
  function plan(): void {
    if (isPlanned || waiting.length === 0) return;
    isPlanned = true;
    setImmediate(flush);
  }

  return (item) =>
    new Promise<A>((resolve) => {
      waiting.push({item, resolve});
      plan();
    });
}
