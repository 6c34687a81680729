// One command for each part of the proof:
//
//     node test/conformance/run.mjs                      says which there are
//     node test/conformance/run.mjs whole-suite --on relink-3.12
import {join} from 'node:path';
import {runNamed} from '../../scripts/run-typescript.mjs';

await runNamed({folder: join(import.meta.dirname, 'gates'), script: import.meta.filename, entry: 'gate'});
