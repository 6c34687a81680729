// Debian's programs, run by an unmodified Python and by a frozen one (README.md):
//
//     node test/programs/run.mjs debian --only 'mypy borg'
import {join} from 'node:path';
import {runNamed} from '../../scripts/run-typescript.mjs';

await runNamed({folder: join(import.meta.dirname, 'gates'), script: import.meta.filename, entry: 'gate'});
