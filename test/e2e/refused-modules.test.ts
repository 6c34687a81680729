/** Modules that Python compiles and that have no image all the same: the C compiler refuses them. */
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);

const folder = temporaryDirectory('refused-modules');
const newest = findPythons().at(-1);
/** A compiler that has too little memory for some files. */
const COMPILER = `#!/bin/sh
case " $* " in
*/ff_app.heavy* | */ff_app.huge* | */colorsys.*) echo 'cc1: error: out of memory allocating 65536 bytes' >&2; exit 1 ;;
esac
exec cc "$@"
`;
const HOSTS = [
  {host: 'relink', product: 'python', started: 'python'},
  {host: 'overlay', product: 'overlay', started: `overlay/bin/python${newest?.series ?? ''}`},
];

describeWith(newest, 'an installed Python').each(HOSTS)('$host', ({host, product, started}) => {
  const root = join(folder, host);
  const app = join(root, 'app');
  const cc = join(root, 'cc');
  const build = (...more: string[]) =>
    flashfreezeJson(
      [
        ...[host, '--python', newest?.python ?? '', '--out', join(root, product), '--cc', cc],
        ...['--build-dir', join(root, 'build'), '--cache-dir', join(root, 'cache'), ...more],
      ],
      {cwd: app},
    );

  beforeAll(() => {
    mkdirSync(join(app, 'ff_app'), {recursive: true});
    for (const name of ['__init__', 'heavy', 'huge', 'light'])
      writeFileSync(join(app, 'ff_app', `${name}.py`), `def name(): return '${name}'\n`);
    const imports = 'import ff_app.heavy, ff_app.huge, ff_app.light as light';
    const print =
      'print(ff_app.heavy.name(), ff_app.huge.name(), light.name(), f.is_static(light.name.__code__))';
    writeFileSync(join(app, 'main.py'), `import _flashfreeze as f\n${imports}\n${print}\n`);
    writeFileSync(join(app, 'trace.py'), `${imports}\n`);
    writeFileSync(cc, COMPILER);
    chmodSync(cc, 0o755);
  });

  test('a traced module is left to its ordinary import, with one warning that has the reason', async () => {
    for (let i = 0; i < 2; i++) {
      const done = await build('--trace', join(app, 'trace.py'));
      expect(done).toMatchObject({exitCode: 0, summary: {ok: true}});
      expect(done.stderr).not.toContain('error[');
      expect(done.stderr.match(/warning: /g)).toHaveLength(1);
      expect(done.stderr).toContain(
        'warning: 2 modules do not compile, and stay on their ordinary imports:\n',
      );
      for (const name of ['heavy', 'huge']) {
        expect(done.stderr).toContain(
          `  ff_app.${name} (${app}/ff_app/${name}.py): the C compiler failed to compile ff_app.${name}: cc1: error: out of memory`,
        );
      }
    }
    const used = await run(join(root, started), ['-B', join(app, 'main.py')]);
    expect(used).toMatchObject({stdout: 'heavy huge light True\n', stderr: ''});
  });

  test('one that --module names is an error, and what was there stays', async () => {
    const done = await build('--trace', join(app, 'trace.py'), '--module', 'colorsys');
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toContain('error[CC]: the C compiler failed to compile colorsys');
    expect((await run(join(root, started), ['-B', join(app, 'main.py')])).stdout).toBe(
      'heavy huge light True\n',
    );
  });
});
