// Random programs, run in the original interpreter and in a frozen one (README.md):
//
//     node test/fuzz/run.mjs programs --python ~/.pyenv/versions/3.12.1/bin/python3 --count 1000 --seed 1
import {join} from 'node:path';
import {runNamed} from '../../scripts/run-typescript.mjs';

await runNamed({folder: join(import.meta.dirname, 'gates'), script: import.meta.filename, entry: 'gate'});
