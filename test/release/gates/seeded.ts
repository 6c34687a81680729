/**
 * node test/release/run.mjs seeded [--only flag,py,date,shell] [--base MANIFEST of a release that is there]
 *   [--opt FLAGS] [--source DIR] [--directory DIR] [--jobs 2]
 */
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {compareReleases} from '../../../src/release/reproduction/reproduce.js';
import {copyTree} from '../../../support/cpython-trees.js';
import {flashfreeze} from '../../../support/rig.js';
import {say} from '../../../support/gate-options.js';
import {release, type Site, verify, withSite} from '../../support/release-rig.js';

/** A difference that is made on purpose: what it has to be called. */
interface Seed {
  readonly name: string;
  readonly find: (site: Site, base: string) => Promise<string>;
  readonly wanted: readonly RegExp[];
}

const SEEDS: readonly Seed[] = [
  {
    name: 'flag',
    async find(site, base) {
      const other = await release(site, 'flag', site.source, ['--configure-arg=CFLAGS=-fno-inline']);
      const compared = await compareReleases(base, other, {...site.context, userEnvironment: {}});
      if (!compared.ok) throw new Error(compared.failure.message);
      return compared.value.differences.map(({path, what}) => `${path}: ${what}`).join('\n');
    },
    wanted: [/^flag PY_CORE_CFLAGS: .*-fno-inline/m, /^recipe: .*-fno-inline/m],
  },
  {
    name: 'py',
    find: (site, base) => edited(site, base, 'Lib/textwrap.py', (text) => `${text}\nSEEDED = 1\n`),
    wanted: [/^input Lib\/textwrap\.py: /m, /^python\/lib\/python3\.\d+\/textwrap\.py: line \d+/m],
  },
  {
    name: 'date',
    find: (site, base) =>
      edited(
        site,
        base,
        'Modules/_bisectmodule.c',
        (text) => `${text}\nconst char seeded[] = __DATE__ " " __TIME__;\n`,
      ),
    wanted: [
      /^input Modules\/_bisectmodule\.c: /m,
      /^python\/lib\/python3\.\d+\/lib-dynload\/_bisect\.\S+: section /m,
    ],
  },
  {
    // What GCC makes of SOURCE_DATE_EPOCH does not help here: two builds of the same source differ.
    name: 'shell',
    async find(site) {
      const source = changed(site, 'Makefile.pre.in', (text) =>
        text.replace('-DGITVERSION=', '-DDATE="\\"`date +%N`\\"" -DGITVERSION='),
      );
      const place = join(site.folder, 'twice');
      const done = await flashfreeze([
        ...['verify', '--twice', '--source', source, '--build-dir', place],
        ...['--jobs', String(site.context.jobs.width), ...site.words],
      ]);
      rmSync(place, {recursive: true, force: true});
      if (done.exitCode !== 3) throw new Error(`exit code ${String(done.exitCode)}\n${done.stderr}`);
      return done.stdout;
    },
    wanted: [
      /^python\/bin\/python3\.\d+: section .*\.rodata \("\d+/m,
      /^python\/lib\/libpython3\.\d+\.a: member .*getbuildinfo\.o/m,
    ],
  },
];

export function gate(words: readonly string[]): Promise<boolean> {
  return withSite(words, ['only', 'base'], async (site) => {
    const only = site.values['only']?.split(',') ?? SEEDS.map(({name}) => name);
    const base = site.values['base'] ?? (await release(site, 'base', site.source));
    let missed = 0;
    for (const {name, find, wanted} of SEEDS.filter((seed) => only.includes(seed.name))) {
      const told = await find(site, base);
      const missing = wanted.filter((pattern) => !pattern.test(told));
      say(
        `${name}: ${missing.length === 0 ? 'found and named' : `not named: ${missing.join(' ')}`}\n${told.slice(0, 3000)}`,
      );
      missed += missing.length;
    }
    return missed === 0;
  });
}

/** A copy of the source with one file changed. Throws when that changes nothing. */
function changed({source, folder}: Site, file: string, change: (text: string) => string): string {
  const copy = join(folder, 'changed');
  rmSync(copy, {recursive: true, force: true});
  copyTree(source, copy);
  const [old, place] = [readFileSync(join(source, file), 'utf8'), join(copy, file)];
  if (change(old) === old) throw new Error(`${file} stays as it is`);
  writeFileSync(place, change(old));
  return copy;
}

/** What `verify` says of a release when one file of its source is another. Throws unless it ends with 3. */
async function edited(
  site: Site,
  base: string,
  file: string,
  change: (text: string) => string,
): Promise<string> {
  const done = await verify(site, base, changed(site, file, change));
  if (done.exitCode !== 3) throw new Error(`exit code ${String(done.exitCode)}\n${done.stderr}`);
  return done.stdout;
}
