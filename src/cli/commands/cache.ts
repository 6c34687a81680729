import {openStore, type Store} from '../../cache/store.js';
import {failure} from '../../model/failure.js';
import {cacheLimits} from '../../pipeline/open-context.js';
import {count, size} from '../../report/wording.js';
import type {CommandEnd, Session} from '../command.js';

/** `flashfreeze cache stats|gc|verify|clear`: manages the build cache. */
export async function run(session: Session): Promise<CommandEnd> {
  const store = await openStore(session.context.cacheDir, {trustOthers: session.context.trustCache});
  if (!store.ok) return {failure: store.failure};
  const task = TASKS[session.invocation.word ?? ''] ?? stats;
  return task(session, store.value);
}

const TASKS: Readonly<Record<string, (session: Session, store: Store) => Promise<CommandEnd>>> = {
  stats,
  gc: collect,
  verify,
  clear,
};

async function stats({product}: Session, store: Store): Promise<CommandEnd> {
  const {entries, blobs, bytes, oldestMs, newestMs} = await store.stats();
  const holds = `${count(entries, 'result')} with ${count(blobs, 'file')}, ${size(bytes)}`;
  product({
    text: `${store.root}: ${holds}`,
    record: {
      type: 'cache-stats',
      root: store.root,
      entries,
      blobs,
      bytes,
      oldestMs: oldestMs ?? null,
      newestMs: newestMs ?? null,
    },
  });
  if (oldestMs !== undefined && newestMs !== undefined) {
    product({text: `last used between ${day(oldestMs)} and ${day(newestMs)}`});
  }
  return {};
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

async function collect({product, context, invocation}: Session, store: Store): Promise<CommandEnd> {
  if (context.dryRun) return dryRunUnsupported('gc');
  const {options} = invocation;
  const limits = cacheLimits({
    cacheMaxSize: options['max-size'] ?? options['cache-max-size'],
    cacheMaxAge: options['max-age'] ?? options['cache-max-age'],
  });
  const done = await store.collect(limits);
  const {removedEntries, removedBlobs, removedBytes, keptEntries, keptBytes} = done;
  product({
    text:
      `removed ${count(removedEntries, 'result')} and ${count(removedBlobs, 'file')}, ${size(removedBytes)}; ` +
      `kept ${count(keptEntries, 'result')}, ${size(keptBytes)}`,
    record: {type: 'cache-gc', root: store.root, ...done},
  });
  return {};
}

async function verify({product}: Session, store: Store): Promise<CommandEnd> {
  const {entries, blobs, damaged, incomplete} = await store.verify();
  const {foreign, special} = await store.intruders();
  for (const path of damaged) {
    product({text: `damaged, removed: ${path}`, record: {type: 'cache-damaged', path}});
  }
  product({
    text: `${count(entries, 'result')} and ${count(blobs, 'file')} checked, ${damaged.length} damaged`,
    record: {type: 'cache-verify', root: store.root, entries, blobs, damaged, incomplete, foreign, special},
  });
  for (const path of special) {
    product({text: `not a file: ${path}`, record: {type: 'cache-special', path}});
  }
  for (const path of foreign) {
    product({text: `of another user, not used: ${path}`, record: {type: 'cache-foreign', path}});
  }
  if (special.length > 0) {
    const message = `the cache in ${store.root} holds ${count(special.length, 'path')} that no cache holds`;
    return {failure: failure('VERIFY', message, {hint: 'find out who made them, and remove them'})};
  }
  if (foreign.length > 0) {
    const message = `the cache in ${store.root} holds ${count(foreign.length, 'path')} of other users`;
    return {
      failure: failure('VERIFY', message, {hint: 'pass --trust-cache if you trust all who may write to it'}),
    };
  }
  if (damaged.length === 0) return {};
  const message = `the cache in ${store.root} held ${count(damaged.length, 'damaged file')}`;
  return {
    failure: failure('VERIFY', message, {hint: 'they have been removed; the next build makes them again'}),
  };
}

async function clear({product, context}: Session, store: Store): Promise<CommandEnd> {
  if (context.dryRun) return dryRunUnsupported('clear');
  const {entries, bytes} = await store.stats();
  const cleared = await store.clear();
  if (!cleared.ok) return {failure: cleared.failure};
  product({
    text: `removed ${count(entries, 'result')}, ${size(bytes)}, from ${store.root}`,
    record: {type: 'cache-clear', root: store.root, entries, bytes},
  });
  return {};
}

function dryRunUnsupported(task: string): CommandEnd {
  return {
    failure: failure('USAGE', `cache ${task} cannot be combined with --dry-run`, {
      hint: 'flashfreeze cache stats shows the content of the cache',
    }),
  };
}
