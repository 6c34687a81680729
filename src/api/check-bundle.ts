import {existsSync} from 'node:fs';
import {sep} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {BUNDLE_FOLDER, BUNDLE_RECORD} from '../fs/package-files.js';
import {type Result, fail, ok} from '../model/result.js';

/** What scripts/bundle-record.mjs exports. */
interface BundleRecord {
  readonly findStaleness: () => string | undefined;
}

/**
 * Whether this code may run. In a checkout that another project links to, it is a bundle that may be older than its sources, and would
 * store what an old generator made. The command line checks the same (bin/flashfreeze.mjs). Fails with NOT_BUILT.
 */
export async function checkBundle(): Promise<Result<void>> {
  const isBundle = fileURLToPath(import.meta.url).startsWith(BUNDLE_FOLDER + sep);
  if (!isBundle || !existsSync(BUNDLE_RECORD)) return ok();
  const record = (await import(pathToFileURL(BUNDLE_RECORD).href)) as BundleRecord;
  const problem = record.findStaleness();
  if (problem === undefined) return ok();
  return fail('NOT_BUILT', problem, {hint: 'run "npm run build" in the directory of flashfreeze'});
}
