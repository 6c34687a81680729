import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {hashFile} from '../../src/fs/files.js';
import {digestOf} from '../../src/model/digest.js';
import {writeArchive} from '../../src/release/archive/archive.js';
import {type Manifest, manifestText} from '../../src/release/manifest.js';

const signal = new AbortController().signal;
const environment = {PATH: process.env['PATH'] ?? ''};

/** Writes a small release into a directory that is not there yet; returns the path of its manifest. */
export async function makeRelease(
  out: string,
  files: Readonly<Record<string, string>>,
  flags = '-O3',
): Promise<string> {
  const root = `${out}-root`;
  mkdirSync(root);
  mkdirSync(out);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  const records = await writeArchive(root, 'python', join(out, 'release.tar'), 0, {environment, signal});
  const hashed = await hashFile(join(out, 'release.tar.xz'));
  if (!records.ok || !hashed.ok) throw new Error('no archive');
  const manifest: Manifest = {
    schema: 'flashfreeze-release/1',
    name: 'release',
    python: '3.13.15',
    flashfreeze: {version: '1.0.0', generator: digestOf('')},
    archive: {name: 'release.tar.xz', size: hashed.value.size, sha256: hashed.value.digest},
    recipe: {
      ...{
        configureArguments: [],
        makeArguments: [],
        cc: null,
        pie: false,
        builtinExtensions: false,
        snapshotAt: null,
      },
      selection: {
        ...{startup: true, traces: [], modules: [], packages: [], stdlib: false, exclude: []},
        ...{
          frozenFirst: false,
          restsCollector: false,
          exitsFast: false,
          preparesExpressions: true,
          preparesSnippets: true,
        },
      },
      sourceDateEpoch: 0,
      profile: null,
    },
    tools: [{name: 'cc', version: 'gcc 12', sha256: null}],
    flags: {CFLAGS: flags},
    frozen: ['os'],
    snapshot: null,
    inputs: [],
    files: [...records.value],
  };
  const path = join(out, 'release.manifest.json');
  writeFileSync(path, manifestText(manifest));
  return path;
}
