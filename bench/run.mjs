// One command for each suite of the benchmark; `document` writes what they found into docs/performance.md, `all` does everything:
//
//     node bench/run.mjs                                          says which there are
//     node bench/run.mjs startup --on 'relink-3.13 overlay-3.13' --measure 'faults instructions memory'
//     node bench/run.mjs document
import {join} from 'node:path';
import {runNamed} from '../scripts/run-typescript.mjs';

await runNamed({folder: join(import.meta.dirname, 'suites'), script: import.meta.filename, entry: 'suite'});
