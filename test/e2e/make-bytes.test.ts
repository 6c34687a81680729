/** The command line and Makefile.inc come to the same bytes: the C, the objects, the interpreter. */
import {existsSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {FIXED_ENVIRONMENT} from '../../src/exec/environment.js';
import {QUICK, chosen, makeBuildOf} from '../support/make-rig.js';
import {CACHE, PACKAGE, flashfreeze} from '../../support/rig.js';

jest.setTimeout(60 * 60_000);

/** Kinds of builds that the command line makes by options alone. */
const comparable = chosen.filter(({name}) => ['default', 'shared'].includes(name));

describe.each(comparable)('CPython $version, $name', (configuration) => {
  const {version, name, objects} = configuration;
  // The objects of another build name its directory.
  const configure = objects === undefined ? configuration.configure : QUICK;
  const {build, source, prepare, command} = makeBuildOf({name: `${name}-bytes`, version, configure});
  const own = join(build, 'flashfreeze');
  const place = join(CACHE, 'make', `${version}-${name}-bytes-cli`);
  const holder = readHolder();

  beforeAll(async () => {
    expect(await prepare()).toMatchObject({exitCode: 0});
    // What make compiled at another time tells that time.
    rmSync(join(build, 'Modules/getbuildinfo.o'));
    const environment = {...FIXED_ENVIRONMENT, GITVERSION: '', GITTAG: '', GITBRANCH: ''};
    const git = ['GITVERSION=', 'GITTAG=', 'GITBRANCH='];
    expect(await command('make', ['-s', '-j2', ...git], {environment})).toMatchObject({exitCode: 0});
    const done = await flashfreeze([
      ...['build', '--source', source, '--build-dir', place, '--debug-info', '--jobs', '2'],
      // Nothing that make has made is taken over.
      ...['--cache-dir', join(place, 'cache')],
      ...['--startup', '--trace', '-c "import json"'],
      ...configure.map((word) => `--configure-arg=${word}`),
    ]);
    expect(done).toMatchObject({exitCode: 0});
  });

  test.each([
    ['C', '.c'],
    ['objects', '.o'],
  ])('%s', (_, suffix) => {
    const files = ['images', 'work'].flatMap((folder) =>
      readdirSync(join(own, folder))
        .map((file) => join(folder, file))
        // Other modules may lie there since earlier runs of either; those that are linked show in the interpreter.
        .filter((file) => file.endsWith(suffix) && existsSync(join(place, file))),
    );
    expect(files.length).toBeGreaterThan(suffix === '.c' ? 2 : 60);
    expect(files.filter((file) => !same(join(own, file), join(place, file)))).toEqual([]);
  });

  test('the interpreter', () => {
    const [ours, theirs] = holder;
    expect(existsSync(ours)).toBe(true);
    expect(same(ours, theirs)).toBe(true);
    // Nor does it tell where flashfreeze lies.
    expect(readFileSync(ours).includes(PACKAGE)).toBe(false);
  });

  /** What has images in it, of make and of the command line. */
  function readHolder(): readonly [string, string] {
    if (name === 'default') return [join(build, 'python'), join(place, 'cpython/python-frozen')];
    const library = `libpython${version.split('.').slice(0, 2).join('.')}.so.1.0`;
    return [join(build, library), join(place, 'cpython/frozen-lib', library)];
  }
});

function same(a: string, b: string): boolean {
  return readFileSync(a).equals(readFileSync(b));
}
