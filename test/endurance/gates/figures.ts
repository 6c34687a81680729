/** node test/endurance/run.mjs figures [--only 'nothing edit make watch overlay images'] [--rounds N] */
import {rmSync} from 'node:fs';
import {gateOptions, say} from '../../../support/gate-options.js';
import {makeDirectory} from '../../../support/make-directory.js';
import {
  allImages,
  editAgainstMake,
  editToInterpreter,
  type FigureSeen,
  nothingToDo,
  textOf,
  watchLatency,
} from '../figures.js';
import {largeSite, smallSite} from '../site.js';

export async function gate(words: readonly string[]): Promise<boolean> {
  const {values} = gateOptions(words, {values: ['only', 'rounds']});
  const only = (values['only'] ?? 'nothing edit make watch overlay images').split(' ');
  const rounds = (usual: number): number => Number(values['rounds'] ?? usual);
  const site = await largeSite();
  const folder = makeDirectory('figures');
  const parts: Readonly<Record<string, () => Promise<readonly FigureSeen[]>>> = {
    nothing: async () => [await nothingToDo(site, rounds(10))],
    edit: () => editToInterpreter(site, rounds(10)),
    make: async () => [await editAgainstMake(site, rounds(5))],
    watch: async () => [await watchLatency(site, rounds(30))],
    overlay: async () => {
      const small = smallSite(folder, 'overlay');
      return [await watchLatency({...small, options: [...small.options, '--stdlib']}, rounds(30))];
    },
    images: () => allImages(site),
  };
  const seen: FigureSeen[] = [];
  try {
    for (const name of only) {
      const figures = (await parts[name]?.()) ?? [];
      for (const each of figures) say(textOf(each));
      seen.push(...figures);
    }
  } finally {
    site.restore();
    rmSync(folder, {recursive: true, force: true});
  }
  return seen.every(({asked, seen: value}) => value <= asked);
}
