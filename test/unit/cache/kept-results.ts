/** An empty store for each test, and results to keep in it. */
import {utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect} from '@jest/globals';
import type {ActionRecord} from '../../../src/cache/record.js';
import {layoutOf} from '../../../src/cache/store-layout.js';
import {openStore, type Store} from '../../../src/cache/store.js';
import {canonicalJson} from '../../../src/model/canonical-json.js';
import {digestOf, type Digest} from '../../../src/model/digest.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

export let folder: string;
export let store: Store;
beforeEach(async () => {
  folder = temporaryDirectory();
  store = await opened(join(folder, 'store'));
});

export async function opened(root: string): Promise<Store> {
  const result = await openStore(root);
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

export interface Kept {
  readonly key: Digest;
  readonly record: ActionRecord;
  readonly entry: string;
  readonly blobs: readonly string[];
}

/** Keeps a result with one output for each content. */
export async function keep(name: string, contents: readonly string[], executable = false): Promise<Kept> {
  const keyRecord = canonicalJson({name});
  const files: Record<string, string> = {};
  const outputs = contents.map((content, index) => {
    const output = `out${index}`;
    files[output] = join(folder, `${name}-${output}`);
    writeFileSync(files[output], content);
    return {name: output, digest: digestOf(content), size: Buffer.byteLength(content), executable};
  });
  const key = digestOf(keyRecord);
  const record = {keyRecord, outputs};
  expect(await store.put(key, record, files)).toEqual({ok: true, value: undefined});
  const layout = layoutOf(store.root);
  return {key, record, entry: layout.entry(key), blobs: outputs.map(({digest}) => layout.blob(digest))};
}

/** Makes it look as if the entry was last used so many days ago. */
export function age(kept: Kept, days: number): void {
  const then = Date.now() / 1000 - days * 86_400;
  for (const path of [kept.entry, ...kept.blobs]) utimesSync(path, then, then);
}

export async function isKept(kept: Kept): Promise<boolean> {
  const found = await store.get(kept.key);
  if (!found.ok) throw new Error(found.failure.message);
  expect(found.value.warnings).toEqual([]);
  return found.value.record !== undefined;
}
