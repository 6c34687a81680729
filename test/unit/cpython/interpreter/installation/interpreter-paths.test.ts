import {copyFileSync, mkdirSync, readdirSync, symlinkSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {expect, test} from '@jest/globals';
import {
  comparePaths,
  copyFindsLibrary,
} from '../../../../../src/cpython/interpreter/installation/interpreter-paths.js';
import {describeTarget} from '../../../../../src/cpython/interpreter/target.js';
import {everyPython} from '../../../../../support/pythons.js';
import {script} from '../../../../support/fake-toolchain.js';
import {temporaryDirectory} from '../../../../support/temporary-directory.js';

const {signal} = new AbortController();

/** An interpreter that computes this prefix. */
function python(file: string, prefix: string): void {
  const paths = {stdlib: `${prefix}/lib`, path: [`${prefix}/lib`]};
  const prefixes = {prefix, exec_prefix: prefix, base_prefix: prefix, base_exec_prefix: prefix};
  const answer = JSON.stringify({...prefixes, ...paths});
  script(file, `#!/bin/sh\nfor last; do :; done\ncat > "$last" <<'END'\n${answer}\nEND\n`);
}

test('an interpreter with the paths of another is told what differs, and what helps where that is a link', async () => {
  const folder = temporaryDirectory();
  const at = (name: string): string => join(folder, name);
  for (const each of ['3.11/bin', 'other']) mkdirSync(at(each), {recursive: true});
  symlinkSync('3.11', at('current'));
  const compare = async (prefix: string) => {
    python(at('3.11/bin/python'), at('current'));
    python(at('new'), prefix);
    const executable = at('current/bin/python');
    const installation = {target: {prefix: at('current'), executable}, baseExecutable: executable};
    return comparePaths(
      {python: at('new'), environment: {PATH: '/usr/bin:/bin'}, signal},
      installation as never,
    );
  };
  expect(await compare(at('current'))).toMatchObject({ok: true});
  expect(await compare(at('3.11'))).toMatchObject({
    ok: false,
    failure: {
      code: 'SMOKE',
      hint: expect.stringContaining(`use --python ${at('3.11/bin/python')}, or an --out beside`),
    },
  });
  expect(await compare(folder)).toMatchObject({
    ok: false,
    failure: {code: 'SMOKE', hint: expect.stringContaining('no other library near it')},
  });
  // Where it was configured to be.
  expect(await compare(at('other'))).toMatchObject({
    ok: false,
    failure: {
      code: 'SMOKE',
      hint: expect.stringContaining(
        `was moved, and finds its library only from its own directory: use an --out beside ${at('current/bin/python')}`,
      ),
    },
  });
});

test.each(everyPython())(
  'a copy of Python $series finds its library, unless that Python was moved',
  async (installed) => {
    const target = await describeTarget(installed);
    if (!target.ok) throw new Error(target.failure.message);
    const {stdlib, executable} = target.value;
    const folder = temporaryDirectory();
    const moved = join(folder, 'bin', 'python');
    const library = join(folder, 'lib', basename(stdlib));
    for (const each of [dirname(moved), library]) mkdirSync(each, {recursive: true});
    copyFileSync(executable, moved);
    for (const name of readdirSync(stdlib)) symlinkSync(join(stdlib, name), join(library, name));
    const findsLibrary = (python: string, stdlib: string): Promise<boolean> =>
      copyFindsLibrary({target: {...target.value, stdlib}, baseExecutable: python}, installed);
    expect(await findsLibrary(executable, stdlib)).toBe(true);
    expect(await findsLibrary(moved, library)).toBe(false);
  },
);
