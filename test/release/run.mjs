// One command for each thing that is promised of releases:
//
//     node test/release/run.mjs                   says which there are
//     node test/release/run.mjs variation --runs 20
import {join} from 'node:path';
import {runNamed} from '../../scripts/run-typescript.mjs';

await runNamed({folder: join(import.meta.dirname, 'gates'), script: import.meta.filename, entry: 'gate'});
