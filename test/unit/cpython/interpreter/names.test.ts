/** Everything that `importlib.import_module()` finds below a package, whatever it is called. */
import {symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {packageModules} from '../../../../src/cpython/interpreter/modules/resolve-modules.js';
import {mayBeSource} from '../../../../src/pipeline/modules/source-folders.js';
import {findPythons} from '../../../../support/pythons.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {writeFiles} from '../folders.js';

const site = temporaryDirectory('names');
writeFiles(site, {
  'shop/__init__.py': '',
  'shop/2fa.py': '',
  'shop/class.py': '',
  'shop/my plug-in/__init__.py': '',
  'shop/my plug-in/größe@2.py': '',
  'shop/steps/0001_first.py': '',
  'shop/steps/later/0002-second.py': '',
  'shop/steps/no.module.py': 'this is no Python',
  'shop/data.d/lost.py': '',
  'shop/__pycache__/stale.py': '',
});
symlinkSync('.', join(site, 'shop', 'again'));
symlinkSync('..', join(site, 'shop', 'steps', 'up'));
const NAMES = [
  'shop',
  'shop.2fa',
  'shop.again',
  'shop.class',
  'shop.my plug-in',
  'shop.my plug-in.größe@2',
  'shop.steps.0001_first',
  'shop.steps.later.0002-second',
];

describe.each(findPythons().map((found) => [found.series, found] as const))('Python %s', (_, found) => {
  test('odd names, namespace packages, and links that lead back up', async () => {
    const interpreter = {...found, environment: {...found.environment, PYTHONPATH: site}};
    const listed = await packageModules(interpreter, 'shop');
    const modules = listed.ok ? listed.value.filter(({kind}) => kind === 'source') : [];
    expect(modules.map(({name}) => name).filter((name) => !name.endsWith('.up'))).toEqual(NAMES);
  });
});

test('such a directory that appears may hold modules', () => {
  for (const name of ['0001', 'my-plugin', 'with space', 'größe'])
    expect(mayBeSource(name, 'folder')).toBe(true);
  for (const name of ['__pycache__', '.git', 'data.d']) expect(mayBeSource(name, 'folder')).toBe(false);
});
