import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {prerequisitesOf, outsideInputs} from '../../../src/release/outside-inputs.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const folder = temporaryDirectory();
const run = {environment: {PATH: process.env['PATH'] ?? ''}, signal: new AbortController().signal};

test.each([
  ['a.o: a.c /usr/include/b.h \\\n  /usr/include/c.h\n', ['a.c', '/usr/include/b.h', '/usr/include/c.h']],
  ['a\\ b.o: /x\\ y.h /z\\#.h /$$.h', ['/x y.h', '/z#.h', '/$.h']],
  ['a.o:', []],
  ['', []],
])('%j', (rule, names) => {
  expect(prerequisitesOf(rule)).toEqual(names);
});

test('headers that a compiler has read, what is linked into every program, and programs that were frozen', async () => {
  const [own, build] = [join(folder, 'own'), join(folder, 'build')];
  mkdirSync(own);
  mkdirSync(join(build, 'Modules'), {recursive: true});
  writeFileSync(join(own, 'own.h'), '');
  writeFileSync(join(own, 'part.c'), `#include <stdio.h>\n#include "${own}/own.h"\n`);
  const args = ['-MD', '-MF', 'Modules/part.o.d', '-c', join(own, 'part.c'), '-o', 'Modules/part.o'];
  execFileSync('gcc', args, {cwd: build});
  const program = join(folder, 'program.py');
  const frozen = [program, join(own, 'Lib/os.py')];
  const found = await outsideInputs({buildDir: build, cc: 'gcc -pthread', own: [own], frozen}, run);
  expect(found).toMatchObject({ok: true});
  const paths = found.ok ? found.value : [];
  expect(paths).toEqual(
    expect.arrayContaining([
      program,
      expect.stringMatching(/^\/usr\/.*\/stdio\.h$/),
      expect.stringMatching(/\/crti\.o$/),
      expect.stringMatching(/\/libgcc\.a$/),
    ]),
  );
  expect(paths.filter((path) => path.includes(own) || !path.startsWith('/'))).toEqual([]);
  expect(paths).toEqual([...paths].sort());
});
