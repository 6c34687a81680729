// One command for each part of the endurance run and each figure:
//
//     node test/endurance/run.mjs                says which there are
//     node test/endurance/run.mjs kill --runs 300
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
  const {gate} = await import(pathToFileURL(bundle));
  process.exitCode = (await gate(argv.slice(1))) ? 0 : 1;
}
