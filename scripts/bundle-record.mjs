// Which sources dist/ was compiled from. bin/flashfreeze.mjs reads this at every start in a checkout, so it is one file.
import {createHash} from 'node:crypto';
import {existsSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {relative, resolve} from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const RECORD = 'sources.json';

export const digestOf = (content) => createHash('sha256').update(content).digest('hex');

/** What tells a file that nobody touched from one that has to be read again: no program can set the change time. */
export function stampOf(path) {
  const {size, ctimeMs: changed} = statSync(path);
  return {size, changed};
}

/** Writes into the directory of a new bundle what it was compiled from; `texts` has read those files. */
export function writeRecord(directory, paths, texts) {
  const sources = paths.sort().map((path) => {
    const {digest, stamp} = texts.read(path);
    return {name: relative(ROOT, path), digest, ...stamp};
  });
  writeFileSync(`${directory}/${RECORD}`, JSON.stringify(sources));
}

/** What is wrong with dist/: undefined where it was compiled from the sources as they are now. */
export function findStaleness() {
  const record = `${ROOT}/dist/${RECORD}`;
  if (!existsSync(record)) return 'src/ has not been compiled yet';
  const changed = JSON.parse(readFileSync(record, 'utf8')).find((source) => !isUnchanged(source));
  return changed && `dist/ is older than ${changed.name}`;
}

/** Git changes stamps when it switches branches, so the content decides where a stamp differs. */
function isUnchanged({name, digest, size, changed}) {
  const path = `${ROOT}/${name}`;
  const found = statSync(path, {throwIfNoEntry: false});
  if (found === undefined) return false;
  return (found.size === size && found.ctimeMs === changed) || digestOf(readFileSync(path)) === digest;
}
