/** node test/endurance/run.mjs kill [--runs 300] [--seed 1] [--small] */
import {rmSync} from 'node:fs';
import {gateOptions, say} from '../../../support/gate-options.js';
import {makeDirectory} from '../../../support/make-directory.js';
import {killRuns} from '../kill.js';
import {largeSite, smallSite} from '../site.js';

export async function gate(words: readonly string[]): Promise<boolean> {
  const {values, flags} = gateOptions(words, {values: ['runs', 'seed'], flags: ['small']});
  const folder = makeDirectory('kill');
  const site = flags.has('small') ? smallSite(folder) : await largeSite();
  try {
    const [runs, seed] = [Number(values['runs'] ?? 300), Number(values['seed'] ?? 1)];
    const {killed, wrong} = await killRuns(site, {runs, seed, say});
    say(
      `${runs} runs, ${killed} killed, ${wrong.length} followed by other bytes than those of a clean build`,
    );
    return wrong.length === 0;
  } finally {
    site.restore();
    rmSync(folder, {recursive: true, force: true});
  }
}
