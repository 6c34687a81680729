// One command for each part of the endurance run and each figure:
//
//     node test/endurance/run.mjs                says which there are
//     node test/endurance/run.mjs kill --runs 300
import {join} from 'node:path';
import {runNamed} from '../../scripts/run-typescript.mjs';

await runNamed({folder: join(import.meta.dirname, 'gates'), script: import.meta.filename, entry: 'gate'});
