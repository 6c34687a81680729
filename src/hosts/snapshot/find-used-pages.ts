import {runProcess} from '../../exec/process.js';
import type {HostContext} from '../../pipeline/build-options.js';
import type {Asked} from './ask-executable.js';

/** Pages that each start writes to: an entry of the list in a snapshot's header (`ff_pages` of src/runtime/snapshot/restore.h). */
export interface UsedPages {
  readonly kind: number;
  /** Of pages of the stack or the heap negative, seen from where they end. */
  readonly address: bigint;
  readonly size: number;
}

/**
 * The pages that a start writes to which runs nothing (src/runtime/snapshot/used-pages.c). None where the kernel does not tell, or where a start is
 * an ordinary one: then pages come when they are used.
 */
export async function findUsedPages(
  {file, calledAs, environment}: Asked,
  {cwd, signal}: Pick<HostContext, 'cwd' | 'signal'>,
): Promise<readonly UsedPages[]> {
  const done = await runProcess({
    ...{file, args: [], cwd, signal},
    environment: {...environment, FLASHFREEZE_SNAPSHOT: `=${calledAs}`},
  });
  return done.ok && done.value.exitCode === 0 ? parseUsedPages(done.value.stdout) : [];
}

/** Lines of a kind, an address and a size. */
export function parseUsedPages(text: string): readonly UsedPages[] {
  return text.split('\n').flatMap((line) => {
    const [, kind, address, size] = /^(\d+) (-?\d+) (\d+)$/.exec(line) ?? [];
    return address === undefined ? [] : [{kind: Number(kind), address: BigInt(address), size: Number(size)}];
  });
}
