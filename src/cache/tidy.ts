import {join} from 'node:path';
import {collectGarbage, type Collected, type CollectLimits} from './collection.js';
import {writeFileAtomic} from '../fs/files.js';
import {readValidJson} from '../fs/read-json.js';
import {isNumber, objectWith, schemaOf} from '../model/shape.js';
import type {Layout} from './store-layout.js';

/** What a store may hold when nobody says otherwise. */
export const DEFAULT_LIMITS = {maxBytes: 2_000_000_000, maxAgeDays: 30} as const;

/** Collects garbage after builds, so that nobody has to think of it. */
export interface Tidier {
  /** So much was put into the store. */
  readonly grew: (bytes: number) => void;
  /** Collects now. */
  readonly collect: (limits: CollectLimits) => Promise<Collected>;
  /** Collects when it is time to; undefined when it is not. */
  readonly tidy: (limits: CollectLimits) => Promise<Collected | undefined>;
}

/** What is remembered between runs, in the store: when the last collection was, and what the store holds, about. */
interface Memory {
  readonly atMs: number;
  readonly bytes: number;
}

const memorySchema = schemaOf<Memory>(objectWith<Memory>({atMs: isNumber, bytes: isNumber}));

const DAY_MS = 86_400_000;
/** A collection for want of room makes more of it than needed, so that the next build does not have to collect again. */
const ROOM = 0.9;

/**
 * A collection looks at every file of the store, so it takes place once a day, or when by the count of what was put since the
 * last one the store is over its limit. A run that put nothing does not even look for when that was.
 */
export function createTidier(layout: Layout): Tidier {
  const file = memoryFile(layout);
  let grown = 0;

  async function remember(memory: Memory): Promise<void> {
    grown = 0;
    await writeFileAtomic(file, JSON.stringify(memory), layout.temporary, MODE);
  }
  async function collect(limits: CollectLimits): Promise<Collected> {
    const collected = await collectGarbage(layout, limits);
    await remember({atMs: limits.nowMs ?? Date.now(), bytes: collected.keptBytes});
    return collected;
  }

  return {
    grew(bytes) {
      grown += bytes;
    },
    collect,
    async tidy(limits) {
      if (grown === 0) return undefined;
      const nowMs = limits.nowMs ?? Date.now();
      const memory = await readValidJson(file, memorySchema);
      const bytes = (memory?.bytes ?? 0) + grown;
      if (bytes > limits.maxBytes) return collect({...limits, maxBytes: limits.maxBytes * ROOM});
      // In the future: the clock was set back, and would keep us waiting.
      const due = memory === undefined || memory.atMs > nowMs || nowMs - memory.atMs >= DAY_MS;
      if (due) return collect(limits);
      await remember({atMs: memory.atMs, bytes});
      return undefined;
    },
  };
}

/** Where that is kept. */
export function memoryFile(layout: Layout): string {
  return join(layout.root, 'collected.json');
}

const MODE = 0o644;
