import {join} from 'node:path';
import pLimit from 'p-limit';
import type {Store} from '../../cache/store.js';
import {writeFileAtomic} from '../../fs/files.js';
import {readState} from '../../fs/regular-file.js';
import {canonicalJson, type Json} from '../../model/canonical-json.js';
import {digestOf, isDigest, type Digest} from '../../model/digest.js';

/** What was checked, with the digest of everything that it depends on, such as `{image, source, interpreter}`. */
export type Statement = Readonly<Record<string, Json>>;

/**
 * Statements that were checked and hold, so that none is checked twice. They are kept in the build directory, and in the local cache for other
 * build directories. Nobody else's word is taken: the remote cache has none.
 */
export interface Proofs {
  /** Those that nobody has checked yet; all of them in a forced build. */
  readonly unproven: <T extends {readonly statement: Statement}>(all: readonly T[]) => Promise<readonly T[]>;
  /** Keeps statements that hold. A cache that cannot be written keeps none. */
  readonly keep: (statements: readonly Statement[]) => Promise<void>;
}

/** The number of entries of the store to read or write at once. */
const BREADTH = 16;

export function openProofs(
  buildDir: string,
  {store, force}: {readonly store: Store | undefined; readonly force: boolean},
): Proofs {
  const file = join(buildDir, 'proofs');
  /** Those of this build that hold. */
  const held = new Set<Digest>();

  async function save(): Promise<void> {
    await writeFileAtomic(file, [...held].map((digest) => `${digest}\n`).join(''));
  }

  return {
    async unproven(all) {
      if (force) return all;
      const known = new Set((await readState(file).catch(() => '')).split('\n').filter(isDigest));
      const left = await pLimit(BREADTH).map(all, async (each) => {
        const digest = digestOf(canonicalJson(each.statement));
        const proven = known.has(digest) || (await isStored(digest, store));
        if (proven) held.add(digest);
        return proven ? [] : [each];
      });
      if ([...held].some((digest) => !known.has(digest))) await save();
      return left.flat();
    },
    async keep(statements) {
      await pLimit(BREADTH).map(statements, async (statement) => {
        const keyRecord = canonicalJson(statement);
        const digest = digestOf(keyRecord);
        held.add(digest);
        await store?.put(digest, {keyRecord, outputs: []}, {});
      });
      await save();
    },
  };
}

async function isStored(digest: Digest, store: Store | undefined): Promise<boolean> {
  const found = await store?.get(digest);
  return found?.ok === true && found.value.record !== undefined;
}
