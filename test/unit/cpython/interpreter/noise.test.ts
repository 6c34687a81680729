/** What code of the environment prints, reads and does at its end is no part of a helper's answer. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {describeInstallation} from '../../../../src/cpython/interpreter/installation/installation.js';
import {packageModules, resolveModules} from '../../../../src/cpython/interpreter/modules/resolve-modules.js';
import {describeTarget} from '../../../../src/cpython/interpreter/target.js';
import {findPythons} from '../../../../support/pythons.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {writeFiles} from '../folders.js';

const folder = temporaryDirectory('noise');

const NOISE = {
  'says JSON at its start and its end': [
    'import atexit, sys',
    'print("null", flush=True)',
    'atexit.register(print, "{}")',
    'atexit.register(sys.stderr.write, "goodbye\\n")',
  ],
  'replaces standard output, and reads standard input': [
    'import io, sys',
    'sys.stdin.read()',
    'sys.stdout = io.StringIO()',
  ],
  'leaves by its own way': ['import atexit, os', 'atexit.register(os._exit, 3)'],
};

describe.each(findPythons().map((found) => [found.series, found] as const))('Python %s', (_, found) => {
  test.each(Object.entries(NOISE))('an environment that %s', async (what, lines) => {
    const site = join(folder, what.replaceAll(' ', '-'));
    writeFiles(site, {
      'sitecustomize.py': lines.join('\n'),
      'loud/__init__.py': 'print("{}")\nprint("not the answer", end="")',
      'loud/one.py': '',
      'quitting/__init__.py': 'raise SystemExit("no licence")',
      'quitting/part.py': '',
    });
    const interpreter = {...found, environment: {...found.environment, PYTHONPATH: site}};
    const target = await describeTarget(interpreter);
    expect(target).toMatchObject({ok: true, value: {implementation: 'cpython'}});
    expect(await describeInstallation(interpreter)).toMatchObject({ok: true});
    const names = (records: readonly {name: string}[]) => records.map(({name}) => name);
    const listed = await packageModules(interpreter, 'loud');
    expect(listed.ok && names(listed.value)).toEqual(['loud', 'loud.one']);
    const resolved = await resolveModules(interpreter, ['loud.one']);
    expect(resolved.ok && names(resolved.value)).toEqual(['loud.one']);
    expect(await resolveModules(interpreter, ['quitting.part'])).toMatchObject({
      ok: false,
      failure: {code: 'NO_MODULE', message: expect.stringContaining('SystemExit: no licence')},
    });
  });

  test('noise is among the details of a failure', async () => {
    const script = join(folder, 'python');
    writeFileSync(script, '#!/bin/sh\necho "the licence server is down"\nexit 7\n', {mode: 0o755});
    const failed = await describeTarget({...found, python: script});
    expect(failed).toMatchObject({
      ok: false,
      failure: {
        code: 'PYTHON',
        message: expect.stringContaining('exit code 7'),
        details: 'the licence server is down',
      },
    });
  });
});
