// One command for each part of the proof:
//
//     node test/conformance/run.mjs                      says which there are
//     node test/conformance/run.mjs whole-suite --on relink-3.12
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {bundleNamed} from '../../scripts/run-typescript.mjs';

const argv = process.argv.slice(2);
const bundle = await bundleNamed({
  folder: join(import.meta.dirname, 'gates'),
  script: import.meta.filename,
  argv,
});
if (bundle !== undefined) {
  // A gate that has to run somewhere else, as a whole, finds itself there.
  process.env.FLASHFREEZE_GATE = bundle;
  const {gate} = await import(pathToFileURL(bundle));
  process.exitCode = (await gate(argv.slice(1))) ? 0 : 1;
}
