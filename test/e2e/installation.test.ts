/**
 * A whole release: built, built again as its manifest says, unpacked, moved, and used as people use an installation.
 * Releases with CPython's own flags are built by `node test/release/run.mjs`.
 */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {type Manifest, readManifest} from '../../src/release/manifest.js';
import {QUICKLY, copyTree, prepareTree} from '../../support/cpython-trees.js';
import {CACHE, flashfreeze, flashfreezeJson, printed, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(30 * 60_000);
const folder = temporaryDirectory('installation');
const buildDir = join(CACHE, 'builds', 'release');
const out = join(folder, 'out');
/** Frozen, too. */
const app = join(folder, 'app');
const store = ['--cache-dir', join(CACHE, 'store'), '--jobs', '2'];
const source = join(folder, 'source');
let archive: string;
let manifestPath: string;
let manifest: Manifest;

beforeAll(async () => {
  // Without bytecode.
  copyTree((await prepareTree('3.13.15')).source, source);
  mkdirSync(app);
  writeFileSync(join(app, 'main.py'), 'import helper\nprint(helper.help())\n');
  writeFileSync(join(app, 'helper.py'), 'def help(): return "helped"\n');
  const {summary, stderr} = await flashfreezeJson([
    ...['release', '--source', source, '--build-dir', buildDir, '--out', out, ...store],
    ...[`--configure-arg=${QUICKLY}`, '--startup', '--trace', '-c "import asyncio"'],
    ...['--trace', join(app, 'main.py')],
  ]);
  if (!summary.ok) throw new Error(stderr);
  archive = summary.output ?? '';
  manifestPath = archive.replace(/\.tar\.xz$/, '.manifest.json');
  const read = await readManifest(manifestPath);
  if (!read.ok) throw new Error(read.failure.message);
  manifest = read.value.manifest;
});

test('its manifest lists every input, every frozen module and every file', () => {
  const inputs = manifest.inputs.map(({name}) => name);
  expect(inputs).toEqual(
    expect.arrayContaining([
      ...['configure', 'Python/ceval.c', 'Lib/asyncio/events.py', '/usr/include/stdio.h'],
      ...[join(app, 'main.py'), join(app, 'helper.py')],
    ]),
  );
  const frozen = ['os', 'encodings.utf_8', 'asyncio.events', 'helper'];
  expect(manifest.frozen).toEqual(expect.arrayContaining(frozen));
  const members = execFileSync('tar', ['tf', archive]).toString().trim().split('\n');
  expect(members).toEqual(manifest.files.map(({path}) => path));
});

test('a rebuild from its manifest is the same, whatever bytecode is in the library', async () => {
  const environment = {PYTHONDONTWRITEBYTECODE: undefined};
  const imported = await run(join(buildDir, 'cpython/python'), ['-c', 'import py_compile'], {environment});
  expect(imported).toMatchObject({exitCode: 0, stderr: ''});
  expect(existsSync(join(source, 'Lib/__pycache__/functools.cpython-313.pyc'))).toBe(true);
  const done = await flashfreeze([
    ...['verify', manifestPath, '--source', source, '--build-dir', buildDir, ...store],
  ]);
  expect(done).toMatchObject({exitCode: 0, stdout: expect.stringContaining(manifest.archive.sha256)});
});

describe.each(['here', 'moved to another place é'])('%s', (name) => {
  const place = join(folder, name);
  const root = join(place, 'python');
  const python = join(root, 'bin/python3');
  const ask = async (code: string): Promise<unknown> =>
    JSON.parse(await printed(python, `import json; print(json.dumps(${code}))`, {folder}));

  beforeAll(() => {
    if (name === 'here') {
      mkdirSync(place);
      execFileSync('tar', ['xf', archive, '-C', place]);
    } else renameSync(join(folder, 'here'), place);
    expect(existsSync('/opt/python')).toBe(false);
  });

  test('frozen modules report their current paths', async () => {
    const library = join(root, 'lib/python3.13');
    const code = `(lambda e, f: [f.is_static(e.BaseEventLoop.run_forever.__code__), e.__file__, e.__spec__.origin,
      e.__cached__, e.BaseEventLoop.run_forever.__code__.co_filename, __import__('asyncio').__path__])(
      __import__('asyncio.base_events').base_events, __import__('_flashfreeze'))`;
    const file = join(library, 'asyncio/base_events.py');
    const cached = join(library, 'asyncio/__pycache__/base_events.cpython-313.pyc');
    expect(await ask(code)).toEqual([true, file, file, cached, file, [join(library, 'asyncio')]]);
    const lines = `__import__('inspect').getsource(__import__('asyncio').run).split('(')[0]`;
    expect(await ask(lines)).toBe('def run');
  });

  test('every image is used, and equals a fresh compile', async () => {
    const code = `(lambda f, find: [m.name for m in f.modules()
      if m.origin.startswith(__import__('sys').prefix) and not f.is_static(find(m.name).loader.get_code(m.name))])(
      __import__('_flashfreeze'), __import__('importlib.util').util.find_spec)`;
    expect(await ask(code)).toEqual([]);
    expect(await ask(`__import__('_flashfreeze').info()['modules'] > 100`)).toBe(true);
    expect(await run(python, [join(app, 'main.py')])).toMatchObject({stdout: 'helped\n'});
    const verified = await flashfreeze(['verify', '--images', python, '--source', source]);
    expect(verified).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('sysconfig, python3-config and pkg-config report its current directory', async () => {
    expect(await ask(`__import__('sysconfig').get_config_var('LIBDIR')`)).toBe(join(root, 'lib'));
    expect(await ask(`__import__('sysconfig').get_path('include')`)).toBe(join(root, 'include/python3.13'));
    const config = join(root, 'bin/python3-config');
    const flags = (await run(config, ['--includes'], {cwd: folder})).stdout;
    // CPython's script takes a path with a space apart (Misc/python-config.sh.in, 3.13).
    if (name === 'here') expect(flags).toContain(`-I${join(root, 'include/python3.13')}`);
    const pc = join(root, 'lib/pkgconfig/python-3.13.pc');
    expect(await run('sed', ['-n', 's/^prefix=//p', pc])).toMatchObject({stdout: '${pcfiledir}/../..\n'});
  });

  test('its scripts run the Python beside them', async () => {
    const done = await run(join(root, 'bin/pydoc3'), ['asyncio.run'], {cwd: folder});
    expect(done).toMatchObject({exitCode: 0, stdout: expect.stringContaining('Execute the coroutine')});
  });

  test('makes virtual environments, with pip', async () => {
    const venv = join(folder, 'venv');
    rmSync(venv, {recursive: true, force: true});
    expect(await run(python, ['-m', 'venv', venv])).toMatchObject({exitCode: 0});
    const own = join(venv, 'bin/python');
    const code =
      'import sys, asyncio, _flashfreeze as f; print(sys.prefix, f.is_static(asyncio.run.__code__))';
    expect(await printed(own, code, {folder})).toBe(`${venv} True`);
    const pip = await run(join(venv, 'bin/pip'), ['--version']);
    expect(pip).toMatchObject({exitCode: 0, stdout: expect.stringContaining(venv)});
  });

  test('extension modules are compiled against it', async () => {
    const module = join(folder, 'spam.c');
    writeFileSync(
      module,
      `#include <Python.h>
static struct PyModuleDef spam = {PyModuleDef_HEAD_INIT, "spam", NULL, 0, NULL};
PyMODINIT_FUNC PyInit_spam(void) { return PyModule_Create(&spam); }
`,
    );
    const include = String(await ask(`__import__('sysconfig').get_path('include')`));
    execFileSync('cc', ['-shared', '-fPIC', `-I${include}`, module, '-o', join(folder, 'spam.so')]);
    expect(await printed(python, 'import spam; print(spam.__name__)', {folder})).toBe('spam');
  });
});

test('unpacked without times, modules load from their files, and work', async () => {
  const place = join(folder, 'untimed');
  mkdirSync(place);
  execFileSync('tar', ['xmf', archive, '-C', place]);
  const python = join(place, 'python/bin/python3');
  const code = 'import asyncio; print(asyncio.run(asyncio.sleep(0, "slept")))';
  expect(await printed(python, code, {folder})).toBe('slept');
});

test('a changed file of the library is detected and named', async () => {
  const library = join(folder, 'changed');
  mkdirSync(library);
  const copy = join(library, 'out');
  execFileSync('cp', ['-r', dirname(archive), copy]);
  const tampered = join(library, 'tampered');
  mkdirSync(tampered);
  execFileSync('tar', ['xf', archive, '-C', tampered]);
  writeFileSync(join(tampered, 'python/lib/python3.13/this.py'), 'print("not this")\n');
  const name = join(copy, manifest.archive.name);
  execFileSync('tar', ['cJf', name, '-C', tampered, 'python'], {env: {...process.env, XZ_OPT: '-0'}});
  const done = await flashfreeze([
    'verify',
    join(copy, `${manifest.name}.manifest.json`),
    '--source',
    source,
  ]);
  expect(done).toMatchObject({
    exitCode: 3,
    stderr: expect.stringMatching(/error\[VERIFY\][^]*python\/lib\/python3\.13\/this\.py/),
  });
});
