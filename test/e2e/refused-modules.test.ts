/** Modules that Python compiles and that have no image all the same: their code is too large. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);

const folder = temporaryDirectory('refused-modules');
const newest = findPythons().at(-1);
/** More bytes than a code unit may have. */
const TOO_MANY = 65 << 20;
const HOSTS = [
  {host: 'relink', product: 'python', started: 'python'},
  {host: 'overlay', product: 'overlay', started: `overlay/bin/python${newest?.series ?? ''}`},
];

describeWith(newest, 'an installed Python').each(HOSTS)('$host', ({host, product, started}) => {
  const root = join(folder, host);
  const app = join(root, 'app');
  const build = (...more: string[]) =>
    flashfreezeJson(
      [
        ...[host, '--python', newest?.python ?? '', '--out', join(root, product)],
        ...['--build-dir', join(root, 'build'), '--cache-dir', join(root, 'cache'), ...more],
      ],
      {cwd: app, environment: {PYTHONPATH: app}},
    );

  beforeAll(() => {
    mkdirSync(join(app, 'ff_app'), {recursive: true});
    const data = `DATA = b'${'x'.repeat(TOO_MANY)}'\n`;
    for (const name of ['__init__', 'heavy', 'huge', 'light']) {
      const text = `def name(): return '${name}'\n`;
      writeFileSync(join(app, 'ff_app', `${name}.py`), name.startsWith('h') ? text + data : text);
    }
    const imports = 'import ff_app.heavy, ff_app.huge, ff_app.light as light';
    const print =
      'print(ff_app.heavy.name(), ff_app.huge.name(), light.name(), f.is_static(light.name.__code__))';
    writeFileSync(join(app, 'main.py'), `import _flashfreeze as f\n${imports}\n${print}\n`);
    writeFileSync(join(app, 'trace.py'), `${imports}\n`);
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
        expect(done.stderr).toContain(`  ff_app.${name} (${app}/ff_app/${name}.py): TooLarge: its code has `);
      }
    }
    const used = await run(join(root, started), ['-B', join(app, 'main.py')]);
    expect(used).toMatchObject({stdout: 'heavy huge light True\n', stderr: ''});
  });

  test('one that --module names is an error, and what was there stays', async () => {
    const done = await build('--trace', join(app, 'trace.py'), '--module', 'ff_app.huge');
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toContain('TooLarge: its code has ');
    expect((await run(join(root, started), ['-B', join(app, 'main.py')])).stdout).toBe(
      'heavy huge light True\n',
    );
  });
});
