/** node test/release/run.mjs used [--opt FLAGS] [--source DIR] [--directory DIR] [--jobs 2] */
import {appendFileSync, cpSync, readFileSync, readdirSync, utimesSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {say} from '../../../support/gate-options.js';
import {release, type Site, verify, withSite} from '../../support/release-rig.js';

export function gate(words: readonly string[]): Promise<boolean> {
  return withSite(words, [], async (site) => {
    const {source} = site;
    const first = await release(site, 'used', source);
    const fresh = digestOf(first);
    // For other gates (seeded --base).
    cpSync(dirname(first), join(site.folder, 'fresh'), {recursive: true});
    touchAll(source);
    const touched = digestOf(await release(site, 'used', source));
    say(`all sources touched: ${touched === fresh ? 'the same release' : 'another one'}`);
    // Frozen by CPython itself, and older than what was made from it.
    appendFileSync(join(source, 'Lib/os.py'), 'SEEDED = 1\n');
    utimesSync(join(source, 'Lib/os.py'), 1, 1);
    const edited = await release(site, 'used', source);
    const anew = await verify(site, edited, source);
    say(`os.py edited, with an old time, against a new folder: ${anew.stdout}${anew.stderr}`);
    return touched === fresh && anew.exitCode === 0 && digestOf(edited) !== fresh;
  });
}

function digestOf(manifest: string): string {
  const {archive} = JSON.parse(readFileSync(manifest, 'utf8')) as {archive: {sha256: string}};
  return archive.sha256;
}

function touchAll(source: Site['source']): void {
  const now = Date.now() / 1000;
  for (const entry of readdirSync(source, {recursive: true, withFileTypes: true})) {
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), now, now);
  }
}
