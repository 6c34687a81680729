import type {RecordedImports} from './recorded-imports.js';
import {findUnstable, readsOf, type Unkeepable} from './unkeepable.js';

/** What facts are in words (runtime/snapshot/facts.c). */
const FACTS: Readonly<Record<string, string>> = {
  cwd: 'the working directory',
  host: 'the name of the host',
  cpus: 'the number of processors',
  terminals: 'what the standard streams are',
  program: 'the name of the program',
  proxies: 'the variables of proxies',
};

/**
 * The modules that a release cannot hold, besides those that no snapshot can: what they read belongs to the machine or to the moment of the
 * build. Of the files, those of the release itself may be read.
 * @param at the directory into which the release is unpacked
 * @param known modules that are left out already
 */
export function findOutsideRelease(
  recorded: RecordedImports,
  at: string,
  known: readonly Unkeepable[],
): readonly Unkeepable[] {
  const found = new Map<string, Unkeepable>();
  const add = (each: Unkeepable): void => {
    const isKnown = known.some(({module}) => module === each.module);
    if (!isKnown && !found.has(each.module)) found.set(each.module, each);
  };
  for (const {module, kind, name} of readsOf(recorded, new Set())) {
    if (kind === 'fact') add({module, reason: `it reads ${FACTS[name] ?? name}`});
    if (kind !== 'file' && kind !== 'examined') continue;
    if (name !== at && !name.startsWith(`${at}/`)) {
      add({module, reason: `it reads ${name}, which is not a file of the release`});
    }
  }
  // Their values may be kept in a form that is the same in two processes of one day.
  findUnstable(recorded).forEach(add);
  return [...found.values()];
}
