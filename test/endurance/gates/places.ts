/** node test/endurance/run.mjs places [--small] */
import {rmSync} from 'node:fs';
import {gateOptions, say} from '../../../support/gate-options.js';
import {makeDirectory} from '../../../support/make-directory.js';
import {buildInTrouble} from '../places.js';
import {largeSite, smallSite} from '../site.js';

export async function gate(words: readonly string[]): Promise<boolean> {
  const {flags} = gateOptions(words, {flags: ['small']});
  const folder = makeDirectory('places');
  const isSmall = flags.has('small');
  const site = isSmall ? smallSite(folder) : await largeSite();
  try {
    const troubles = await buildInTrouble(site, folder, isSmall ? '100k' : '20m');
    for (const {what, warnings, isRight} of troubles) {
      say(`${what}: ${isRight ? 'right' : 'WRONG'}`);
      for (const warning of warnings) say(`  ${warning}`);
    }
    return troubles.every(({isRight}) => isRight);
  } finally {
    site.restore();
    rmSync(folder, {recursive: true, force: true});
  }
}
