// One command for each suite of the benchmark; `document` writes what they found into docs/performance.md, `all` does everything:
//
//     node bench/run.mjs                                          says which there are
//     node bench/run.mjs startup --on 'relink-3.13 overlay-3.13' --measure 'faults instructions memory'
//     node bench/run.mjs document
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {bundleNamed} from '../scripts/run-typescript.mjs';

const argv = process.argv.slice(2);
const bundle = await bundleNamed({
  folder: join(import.meta.dirname, 'suites'),
  script: import.meta.filename,
  argv,
});
if (bundle !== undefined) {
  const {suite} = await import(pathToFileURL(bundle));
  try {
    await suite(argv.slice(1));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
