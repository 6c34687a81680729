/** node test/endurance/run.mjs edits [--edits 500] [--seed 1] [--small] */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {gateOptions, say} from '../../../support/gate-options.js';
import {makeDirectory} from '../../../support/make-directory.js';
import {randomEdits} from '../edits.js';
import {largeSite, smallSite} from '../site.js';

export async function gate(words: readonly string[]): Promise<boolean> {
  const {values, flags} = gateOptions(words, {values: ['edits', 'seed'], flags: ['small']});
  const folder = makeDirectory('edits');
  const site = flags.has('small') ? smallSite(folder) : await largeSite();
  try {
    const [edits, seed] = [Number(values['edits'] ?? 500), Number(values['seed'] ?? 1)];
    const report = await randomEdits(site, {edits, seed, gitDir: join(folder, 'git'), say});
    const {compared, builds, wrong} = report;
    say(`${edits} edits, ${builds} builds, ${compared} comparisons, ${wrong.length} of them wrong`);
    return wrong.length === 0;
  } finally {
    site.restore();
    rmSync(folder, {recursive: true, force: true});
  }
}
