/** node test/release/run.mjs used [--opt FLAGS] [--source DIR] [--folder DIR] [--jobs 2] */
import {appendFileSync, readFileSync, readdirSync, utimesSync} from 'node:fs';
import {join} from 'node:path';
import {say} from '../../conformance/options.js';
import {release, type Site, withSite} from '../rig.js';

export function gate(words: readonly string[]): Promise<boolean> {
  return withSite(words, [], async (site) => {
    const {source} = site;
    const fresh = digestOf(await release(site, 'used', source));
    touchAll(source);
    const touched = digestOf(await release(site, 'used', source));
    say(`all sources touched: ${touched === fresh ? 'the same release' : 'another one'}`);
    // Frozen by CPython itself, and older than what was made from it.
    appendFileSync(join(source, 'Lib/os.py'), 'SEEDED = 1\n');
    utimesSync(join(source, 'Lib/os.py'), 1, 1);
    const edited = digestOf(await release(site, 'used', source));
    const anew = digestOf(await release(site, 'new', source));
    say(`os.py edited, with an old time: ${edited === anew ? 'the release of a new folder' : 'another one'}`);
    return touched === fresh && edited === anew && edited !== fresh;
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
