/** Wrong results in a build cache, which only a comparison of the images finds. */
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {decodeRecord, encodeRecord, type ActionRecord} from '../../src/cache/record.js';
import type {Digest} from '../../src/model/digest.js';

/** The object files of a module's image in a cache, by the path of their entry. */
export function imageResults(cache: string, module: string): ReadonlyMap<string, ActionRecord> {
  const found = new Map<string, ActionRecord>();
  for (const entry of readdirSync(join(cache, 'ac'), {recursive: true, withFileTypes: true})) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const record = decodeRecord(readFileSync(path, 'utf8'), entry.name as Digest);
    if (record === undefined || record === 'older') continue;
    const {step, target} = JSON.parse(record.keyRecord) as {step?: string; target?: string};
    if (step === 'generate' && target === module) found.set(path, record);
  }
  return found;
}

/** What is `later` compiled to is from now on what `earlier`, the only result so far, was. */
export function plantResult(
  earlier: ReadonlyMap<string, ActionRecord>,
  later: ReadonlyMap<string, ActionRecord>,
): void {
  const [first] = earlier.values();
  const changed = [...later].find(([path]) => !earlier.has(path));
  if (first === undefined || changed === undefined) throw new Error('the results are not in the cache');
  const [path, {keyRecord}] = changed;
  writeFileSync(path, encodeRecord({keyRecord, outputs: first.outputs}));
}
