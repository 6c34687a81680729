import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {relinkBy} from '../../../../src/hosts/installed/relink-methods.js';
import type {EventInput} from '../../../../src/model/events.js';
import type {RelinkOptions} from '../../../../src/pipeline/build-options.js';
import {findPythons} from '../../../../support/pythons.js';
import {hostContext} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('methods');
const newest = findPythons().at(-1)?.python ?? '';
const options = (change: Partial<RelinkOptions> = {}): RelinkOptions => ({
  python: newest,
  out: join(folder, 'bin/python3'),
  buildDir: join(folder, 'build'),
  cc: undefined,
  pie: false,
  debugInfo: false,
  ...change,
});

test.each([
  ['link' as const, ['build', 'bin/python3']],
  ['graft' as const, ['build', 'bin/python3', 'bin/python3-images.so']],
])('%s, when it is asked for, without a trial; what it writes', async (method, outputs) => {
  // Nobody looks at the Python for that.
  const chosen = await relinkBy(method, options({python: '/nowhere/python3'}), hostContext(folder));
  expect(chosen).toMatchObject({
    ok: true,
    value: {method, outputs: outputs.map((name) => join(folder, name))},
  });
});

test('without a method, a compiler that cannot link the archive leads to a graft, which is said with the reason', async () => {
  const events: EventInput[] = [];
  // Compiles, but links nothing: as where the archive lacks objects.
  const cc = join(folder, 'cc');
  const linking =
    'case " $* " in *.a*) echo "main.o: undefined reference to \\`_Py_LibHacl_x\'" >&2; exit 1;; esac';
  writeFileSync(cc, `#!/bin/sh\n${linking}\nexec cc "$@"\n`, {mode: 0o755});
  const context = hostContext(folder, {events: {emit: (event) => events.push(event)}});
  expect(await relinkBy(undefined, options({cc}), context)).toMatchObject({
    ok: true,
    value: {method: 'graft'},
  });
  expect(events.filter(({type}) => type === 'notice')).toEqual([
    {
      type: 'notice',
      message: expect.stringMatching(
        /^libpython3\.\d+\.a cannot be linked \(undefined reference to .*_Py_LibHacl_x.*\): grafting a copy of the executable$/,
      ),
      isLasting: true,
    },
  ]);
});

test('a Python that is not there is a failure', async () => {
  const chosen = await relinkBy(undefined, options({python: '/nowhere/python3'}), hostContext(folder));
  expect(chosen).toMatchObject({ok: false, failure: {message: expect.stringContaining('/nowhere/python3')}});
});
