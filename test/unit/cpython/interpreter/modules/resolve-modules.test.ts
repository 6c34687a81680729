/** What is found below packages of any shape: real interpreters, real directories. */
import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {
  packageModules,
  resolveModules,
} from '../../../../../src/cpython/interpreter/modules/resolve-modules.js';
import {findPythons} from '../../../../../support/pythons.js';
import {temporaryDirectory} from '../../../../support/temporary-directory.js';

const folder = temporaryDirectory('resolve-modules');
function put(name: string): void {
  mkdirSync(dirname(join(folder, name)), {recursive: true});
  writeFileSync(join(folder, name), '');
}

describe.each(findPythons().map((found) => [found.series, found] as const))('Python %s', (_, found) => {
  const place = {...found, cwd: folder};
  const namesIn = async (name: string): Promise<readonly string[]> => {
    const modules = await packageModules(place, name);
    if (!modules.ok) throw new Error(JSON.stringify(modules.failure));
    return modules.value.map(({name: module}) => module);
  };

  test('packages that are nested deeper than functions may call each other', async () => {
    const levels = Array.from({length: 1100}, (_each, i) => '/d'.repeat(i + 1));
    put('deep/__init__.py');
    for (const level of levels.filter((_each, i) => i % 100 === 99)) put(`deep${level}/__init__.py`);
    put(`deep${levels.at(-1) ?? ''}/last.py`);
    const names = await namesIn('deep');
    expect(names).toHaveLength(13);
    expect(names.at(-1)).toBe(`deep${'.d'.repeat(1100)}.last`);
  });

  test('links to directories above end there, links to others are packages of their own', async () => {
    for (const name of ['linked/__init__.py', 'linked/part/__init__.py', 'linked/part/m.py', 'beside/n.py'])
      put(name);
    for (const [to, name] of [
      ['..', 'linked/part/up'],
      ['../beside', 'linked/other'],
      ['part', 'linked/twin'],
    ] as const) {
      try {
        symlinkSync(to, join(folder, name));
      } catch {
        // An earlier Python's.
      }
    }
    expect(await namesIn('linked')).toEqual([
      ...['linked', 'linked.other.n', 'linked.part', 'linked.part.m', 'linked.part.up'],
      ...['linked.twin', 'linked.twin.m', 'linked.twin.up'],
    ]);
  });

  test('a name that is listed and cannot be found is not proposed', async () => {
    put('listed/__init__.py');
    put('listed/present.py');
    mkdirSync(join(folder, 'listed', 'presence.py'), {recursive: true});
    const result = await resolveModules(place, ['listed.presence']);
    expect(result).toMatchObject({ok: false, failure: {code: 'NO_MODULE'}});
    expect(JSON.stringify(result)).not.toMatch(/did you mean listed\.presence/);
  });
});
