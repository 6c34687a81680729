/** Damages the objects of a store, one at a time. */
import {chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** What becomes of an object; `other` is the content of another one of its kind. */
export const DAMAGES: Readonly<Record<string, (content: Buffer, other: Buffer) => Buffer>> = {
  damaged(content) {
    const changed = Buffer.from(content);
    const middle = changed.length >> 1;
    changed[middle] = (changed[middle] ?? 0) ^ 1;
    return changed;
  },
  truncated: (content) => content.subarray(0, content.length >> 1),
  swapped: (_, other) => other,
};

export interface Damaged {
  readonly path: string;
  /** Results and files: `ac` and `cas`. */
  readonly part: 'ac' | 'cas';
  readonly damage: string;
}

/**
 * Damages each object of the store in `root` in each way, and calls `build`, which has to heal it: an object that is still not
 * what it was is in what this gives, with those of which `build` said that they were not found or that its result is wrong.
 */
export async function damageEach(
  root: string,
  build: (damaged: Damaged) => Promise<boolean>,
): Promise<{readonly count: number; readonly bad: readonly Damaged[]}> {
  const objects = (['ac', 'cas'] as const).flatMap((part) => listObjects(root, part));
  const bad: Damaged[] = [];
  let count = 0;
  for (const [damage, act] of Object.entries(DAMAGES)) {
    for (const {path, part} of objects) {
      const content = readFileSync(path);
      const other = objects.find((each) => each.part === part && !readFileSync(each.path).equals(content));
      const changed = act(content, other === undefined ? Buffer.from('') : readFileSync(other.path));
      if (changed.equals(content)) continue; // an empty file has nothing to lose
      chmodSync(path, 0o644);
      writeFileSync(path, changed);
      count += 1;
      const isGood = await build({path, part, damage});
      if (!isGood || !existsSync(path) || !readFileSync(path).equals(content)) bad.push({path, part, damage});
    }
  }
  return {count, bad};
}

function listObjects(
  root: string,
  part: 'ac' | 'cas',
): {readonly path: string; readonly part: 'ac' | 'cas'}[] {
  return readdirSync(join(root, part), {recursive: true, encoding: 'utf8'})
    .map((name) => join(root, part, name))
    .filter((path) => statSync(path).isFile())
    .sort()
    .map((path) => ({path, part}));
}
