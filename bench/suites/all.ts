/**
 * Everything, and the document: what a quiet machine does over lunch.
 *
 *     node bench/run.mjs all [--measure 'wall faults …'] [--rounds 60]
 */
import {suiteOptions} from '../options.js';
import {suite as building} from './building.js';
import {suite as document} from './document.js';
import {suite as programs} from './programs.js';
import {suite as runtime} from './runtime.js';
import {suite as snapshots} from './snapshots.js';
import {suite as startup} from './startup.js';
import {suite as unused} from './unused.js';

export async function suite(words: readonly string[]): Promise<void> {
  if (suiteOptions(words).on !== undefined) throw new Error('--on is for one suite');
  for (const each of [startup, programs, snapshots, unused, runtime]) await each(words);
  await building([]);
  await document();
}
