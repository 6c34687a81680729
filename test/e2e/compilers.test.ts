/** Compilers and linkers as people combine them: each that is installed links and loads images. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run} from '../../support/rig.js';
import {missingOf} from '../support/installed-programs.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith, testWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);

const root = temporaryDirectory('compilers');
const app = join(root, 'app');
const newest = findPythons().at(-1);
const CODE = 'import ff_app, _flashfreeze as f; print(ff_app.name(), f.is_static(ff_app.name.__code__))';

/** Compiler commands, with the programs that they need. */
const COMMANDS = {
  'ccache gcc': ['ccache', 'gcc'],
  'gcc -fuse-ld=lld': ['gcc', 'ld.lld'],
  'gcc -fuse-ld=mold': ['gcc', 'mold'],
  clang: ['clang'],
  'clang -fuse-ld=lld': ['clang', 'ld.lld'],
  'clang -fuse-ld=mold': ['clang', 'mold'],
  'ccache clang \'-DNAME="two words"\'': ['ccache', 'clang'],
  'gcc -flto -Wl,--as-needed': ['gcc'],
  "ccache 'my tools/compiler' -O1": ['ccache', 'gcc'],
};
const CASES = Object.entries(COMMANDS).flatMap(([cc, programs], i) =>
  (['relink', 'overlay'] as const).map((host) => ({
    cc,
    host,
    i,
    missing: missingOf(programs),
  })),
);

beforeAll(() => {
  mkdirSync(app, {recursive: true});
  writeFileSync(join(app, 'ff_app.py'), "def name(): return 'größe', 1.5, frozenset({1})\n");
  writeFileSync(join(app, 'main.py'), 'import ff_app\n');
  mkdirSync(join(app, 'my tools'));
  writeFileSync(join(app, 'my tools', 'compiler'), '#!/bin/sh\nexec gcc "$@"\n', {mode: 0o755});
});

for (const {cc, host, i, missing} of CASES) {
  const wanted = missing.length === 0 ? newest : undefined;
  testWith(wanted, missing.join(' and ') || 'an installed Python')(`${host} with ${cc}`, async () => {
    const out = join(root, `${host}-${i}`);
    const done = await flashfreezeJson(
      [
        ...[
          host,
          '--python',
          newest?.python ?? '',
          '--cc',
          cc,
          '--trace',
          join(app, 'main.py'),
          '--out',
          out,
        ],
        ...['--build-dir', join(root, `build-${host}-${i}`), '--cache-dir', join(root, 'cache')],
      ],
      {cwd: app},
    );
    expect(done).toMatchObject({
      exitCode: 0,
      summary: {ok: true},
      // Names of actions have neither of these: import-warning is one.
      stderr: expect.not.stringMatching(/\b(warning|error)[:[]/),
    });
    const python = host === 'relink' ? out : join(out, 'bin', `python${newest?.series ?? ''}`);
    const used = await run(python, ['-B', '-c', CODE], {cwd: app});
    expect(used).toMatchObject({stdout: "('größe', 1.5, frozenset({1})) True\n", stderr: ''});
  });
}

describeWith(missingOf(['ld.gold']).length === 0 ? newest : undefined, 'ld.gold')('gold', () => {
  test.each([
    ['overlay', 'gold', ['overlay', '--cc', 'gcc -fuse-ld=gold']],
    ['graft', 'gold/python', ['relink', '--method', 'graft', '--linker', 'gold']],
  ])('an %s is an error that says what to use', async (name, out, command) => {
    const done = await flashfreezeJson([
      ...[...command, '--python', newest?.python ?? '', '--trace', join(app, 'main.py')],
      ...['--out', join(root, out), '--build-dir', join(root, `build-gold-${name}`)],
      ...['--cache-dir', join(root, 'cache')],
    ]);
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toMatch(
      /error\[LINK\]: gold cannot link images into a library.*\n[^]*hint: .*--linker bfd, lld or mold/,
    );
  });
});
