/** `--builtin-extensions`: extension modules that need no library of their own are part of the interpreter. */
import {existsSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {QUICKLY, prepareTree} from '../../support/cpython-trees.js';
import {flashfreeze, flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('builtin');

/** 3.11 builds its other extension modules with setup.py. */
describe.each(['3.13.15', '3.11.2'])('%s', (version) => {
  const out = join(folder, version, 'python');
  const series = version.split('.').slice(0, 2).join('.');
  let source: string;
  let buildDir: string;
  let cpython: string;
  const build = (...words: string[]): ReturnType<typeof flashfreezeJson> =>
    flashfreezeJson([
      ...['build', '--source', source, '--build-dir', buildDir, '--out', out],
      ...[`--configure-arg=${QUICKLY}`, '--startup', '--trace', '-c "import json, argparse"'],
      ...words,
    ]);
  const answer = async (file: string, code: string): Promise<unknown> => {
    const done = await run(file, ['-I', '-B', '-c', `import json, sys\n${code}`]);
    expect(done).toMatchObject({exitCode: 0, stderr: ''});
    return JSON.parse(done.stdout) as unknown;
  };

  beforeAll(async () => {
    const tree = await prepareTree(version);
    source = tree.source;
    buildDir = `${tree.buildDir}-builtin`;
    cpython = join(buildDir, 'cpython');
    const {summary, stderr} = await build('--builtin-extensions');
    if (!summary.ok) throw new Error(stderr);
  });

  test('the interpreter contains the modules without libraries; others load as usual', async () => {
    const code = `import importlib
builtin = 'array math _asyncio _struct _json _datetime select _socket _posixsubprocess _pickle fcntl'.split()
modules = [importlib.import_module(name) for name in builtin]
print(json.dumps([
    [each.__name__ for each in modules if each.__name__ not in sys.builtin_module_names],
    [each.__name__ for each in modules if hasattr(each, '__file__') or each.__spec__.origin != 'built-in'],
    [name for name in builtin if name in open('/proc/self/maps').read()],
    modules[1].sqrt(4), modules[3].pack('<h', 1).hex(),
]))`;
    expect(await answer(out, code)).toEqual([[], [], [], 2, '0100']);
  });

  test('modules stay shared if they need a library or an archive of the build, or are for tests', async () => {
    const isPublic = (await answer(out, 'print(json.dumps(sorted(sys.stdlib_module_names)))')) as string[];
    const [libraries = ''] = readdirSync(join(cpython, 'build')).filter((name) => name.startsWith('lib.'));
    const shared = readdirSync(join(cpython, 'build', libraries)).filter((name) => name.endsWith('.so'));
    expect(shared.length).toBeGreaterThan(3);
    const without: string[] = [];
    for (const file of shared) {
      const name = file.split('.', 1)[0] ?? '';
      const {stdout} = await run('readelf', ['-d', join(cpython, 'build', libraries, file)]);
      const needed = [...stdout.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, library]) => library);
      const own = needed.every((library) => /^lib(c|m|pthread|dl)\.so/.test(library ?? ''));
      if (own && isPublic.includes(name)) without.push(name);
    }
    expect(without.sort()).toEqual(
      series === '3.11' ? ['_decimal', 'pyexpat'] : ['_decimal', '_sha2', 'pyexpat'],
    );
  });

  test('a program that links with libpython needs no more than before', async () => {
    writeFileSync(
      join(folder, 'main.c'),
      `#include <Python.h>
int main(void) { Py_Initialize(); return PyRun_SimpleString("import math, _asyncio, _datetime"); }\n`,
    );
    const [libs, sys] = (await answer(
      join(cpython, 'python'),
      'import sysconfig; print(json.dumps(sysconfig.get_config_vars("LIBS", "SYSLIBS")))',
    )) as string[];
    const words = `-I${source}/Include -I${cpython} ${folder}/main.c ${cpython}/libpython${series}.a ${libs} ${sys}`;
    const file = join(folder, version, 'embedded');
    const linked = await run('sh', ['-c', `cc -o ${file} -Wl,--export-dynamic ${words} -lpthread -lutil`]);
    expect(linked).toMatchObject({exitCode: 0});
    const environment = {PYTHONPATH: join(source, 'Lib'), PYTHONHOME: source, PYTHONDONTWRITEBYTECODE: '1'};
    expect(await run(file, [], {environment})).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('the source tree has nothing new; images equal a fresh compile', async () => {
    expect(existsSync(join(source, 'Modules/Setup.local'))).toBe(false);
    const verified = await flashfreeze(['verify', '--images', out, '--source', source]);
    expect(verified).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('the option is part of the key of stage 1', async () => {
    expect((await build('--builtin-extensions')).summary).toMatchObject({ok: true, executed: []});
    const {summary, stderr} = await build('--dry-run');
    expect(summary.ok).toBe(false);
    expect(stderr).toContain('CPython is not built yet');
  });
});
