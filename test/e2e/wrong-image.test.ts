/** Images that link and are wrong: a result in the cache belongs to another source. They never replace what is in use. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreeze, run} from '../../support/rig.js';
import {imageResults, plantResult} from '../support/planted-result.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('wrong-image');
const MODULE = 'ff_odd';

const newest = findPythons().at(-1);
const HOSTS = [
  {name: 'link', host: 'relink', method: ['--method', 'link'], product: 'python', started: 'python'},
  {name: 'graft', host: 'relink', method: ['--method', 'graft'], product: 'python', started: 'python'},
  {
    ...{name: 'overlay', host: 'overlay', method: [], product: 'overlay'},
    started: `overlay/bin/python${newest?.series ?? ''}`,
  },
];

describeWith(newest, 'an installed Python').each(HOSTS)(
  '$name',
  ({name: kind, host, method, product, started}) => {
    const root = join(folder, kind);
    const app = join(root, 'app');
    const source = join(app, `${MODULE}.py`);
    const cache = join(root, 'cache');
    const places = (name: string): string[] => [
      ...['--python', newest?.python ?? '', '--out', join(root, name, product)],
      ...['--build-dir', join(root, name, 'build'), '--cache-dir', cache],
    ];
    const build = (name: string, ...more: string[]) =>
      flashfreeze([host, ...method, ...places(name), '--trace', join(app, 'main.py'), ...more]);
    /** Without a look at the stamps, which say of which code an image has to be. */
    const answer = async (): Promise<string> =>
      (await run(join(root, 'one', started), ['-B', '-X', 'flashfreeze=on', join(app, 'main.py')])).stdout;
    const write = (value: string): void => {
      writeFileSync(source, `def answer():\n    return ${value}\n`);
    };
    beforeAll(async () => {
      mkdirSync(app, {recursive: true});
      writeFileSync(join(app, 'main.py'), `import ${MODULE}\nprint(${MODULE}.answer())\n`);
      write('1.5');
      expect(await build('one')).toMatchObject({exitCode: 0, stderr: ''});
      const first = imageResults(cache, MODULE);
      write('(0.0, 1)');
      expect(await build('two')).toMatchObject({exitCode: 0, stderr: ''});
      plantResult(first, imageResults(cache, MODULE));
    });

    test('the build fails, and what was there stays as it was', async () => {
      const before = readFileSync(join(root, 'one', started));
      const refused = await build('one');
      expect(refused.exitCode).toBe(3);
      expect(refused.stderr).toContain(
        `error[VERIFY]: the image of ${MODULE} differs from a fresh compile of ${source}`,
      );
      expect(refused.stderr).toMatch(/\n {2}ff_odd, answer: co_consts\[\d\]: 1\.5 instead of \(0\.0, 1\)\n/);
      expect(refused.stderr).toMatch(/\nhint: .*--force.*--verify=false/);
      expect(readFileSync(join(root, 'one', started)).equals(before)).toBe(true);
    });

    test('it fails each time, until the check is turned off', async () => {
      expect((await build('one')).exitCode).toBe(3);
      expect(await build('one', '--verify=false')).toMatchObject({exitCode: 0, stderr: ''});
      expect(await answer()).toBe('1.5\n');
      expect((await build('one')).exitCode).toBe(3);
    });

    test('a build by force mends it', async () => {
      expect(await build('one', '--force')).toMatchObject({exitCode: 0, stderr: ''});
      expect(await answer()).toBe('(0.0, 1)\n');
      expect(await build('one')).toMatchObject({exitCode: 0, stderr: ''});
    });
  },
);
