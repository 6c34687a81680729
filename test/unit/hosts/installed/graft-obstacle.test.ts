/** Executables of which no graft can be made, and such as this machine cannot run. */
import {execFileSync} from 'node:child_process';
import {copyFileSync, openSync, writeFileSync, writeSync, closeSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import {whyNotRun} from '../../../../src/cpython/interpreter/installation/unrunnable.js';
import {checkGraftable} from '../../../../src/hosts/installed/graft-obstacle.js';
import {script} from '../../../support/fake-toolchain.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('obstacle');
const at = (name: string): string => join(folder, name);
const check = (path: string, libpython: string | null = null): ReturnType<typeof checkGraftable> =>
  checkGraftable({
    target: {prefix: '/opt/python', version: {series: '3.13'}},
    baseExecutable: path,
    libpython,
  } as Parameters<typeof checkGraftable>[0]);

function compile(name: string, ...flags: readonly string[]): string {
  execFileSync('cc', [...flags, at('main.c'), '-o', at(name)]);
  return at(name);
}

beforeAll(() => {
  writeFileSync(at('main.c'), 'void *PyImport_Inittab = 0;\nint main(void) { return 0; }\n');
});

test.each<[string, readonly string[], RegExp | undefined]>([
  ['exports what a library needs', ['-rdynamic'], undefined],
  ['exports what a library needs, at fixed addresses', ['-rdynamic', '-no-pie'], undefined],
  ['exports nothing', [], /it exports no symbols of Python to libraries$/],
  ['is static', ['-static', '-no-pie'], /it is linked statically, and cannot load a library$/],
  ['is static, and movable', ['-static-pie', '-fPIE'], /it is linked statically, and cannot load a library$/],
])('an executable that %s', async (name, flags, message) => {
  const checked = await check(compile(`program ${name}`, ...flags));
  if (message === undefined) expect(checked).toEqual({ok: true, value: undefined});
  else
    expect(checked).toMatchObject({
      ok: false,
      failure: {code: 'PYTHON', message: expect.stringMatching(message) as unknown},
    });
});

test('a small executable leaves the symbols to its libpython', async () => {
  expect(await check(compile('small'), '/opt/python/lib/libpython3.13.so.1.0')).toMatchObject({ok: true});
});

test.each(['wrapper', 'empty', 'nowhere'])('what is no executable of ELF: %s', async (name) => {
  script(at('wrapper'), '#!/bin/sh\nexec /opt/python/bin/python3.13 "$@"\n');
  writeFileSync(at('empty'), '');
  expect(await check(at(name))).toMatchObject({
    ok: false,
    failure: {
      message: `cannot graft a copy of ${at(name)}: it is a script or a wrapper, not an executable of ELF`,
      hint: expect.stringContaining('/opt/python/bin') as unknown,
    },
  });
});

test('an executable of another machine, or of another C library', async () => {
  const own = compile('own');
  expect(await whyNotRun(own)).toBeUndefined();
  expect(await whyNotRun(at('main.c'))).toBeUndefined();
  copyFileSync(own, at('foreign'));
  const file = openSync(at('foreign'), 'r+');
  writeSync(file, Uint8Array.of(process.arch === 'arm64' ? 62 : 183), 0, 1, 18); // e_machine
  closeSync(file);
  const [other, ours] = [process.arch === 'arm64' ? 'x64' : 'arm64', process.arch];
  expect((await whyNotRun(at('foreign')))?.message).toBe(
    `cannot run ${at('foreign')}: it is built for ${other}, and this machine is ${ours}`,
  );
  const musl = compile('musl', '-Wl,--dynamic-linker=/nowhere/ld-musl.so.1');
  expect((await whyNotRun(musl))?.message).toBe(
    `cannot run ${musl}: its dynamic linker /nowhere/ld-musl.so.1 is not on this machine`,
  );
});
