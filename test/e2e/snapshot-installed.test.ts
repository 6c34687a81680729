/** `snapshot --python`: installed Pythons, whose extension modules lie in shared libraries. */
import {copyFileSync, existsSync, mkdirSync, renameSync, utimesSync, writeFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, jest, test} from '@jest/globals';
import {flashfreezeJson, run, withoutUsersVariables} from '../../support/rig.js';
import {STATE} from '../support/snapshot-rig.js';
import {SYSTEM_PYTHON, hasLinkablePython} from '../support/linkable-python.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-installed');
const home = join(folder, 'home');
const environment = {...withoutUsersVariables(), HOME: home, LANG: 'C.UTF-8', LC_ALL: undefined};
mkdirSync(home);

const start = (python: string, ...args: string[]): ReturnType<typeof run> =>
  run(python, args, {cwd: folder, environment});
const snapshot = (...words: string[]): ReturnType<typeof flashfreezeJson> =>
  flashfreezeJson(['snapshot', ...words], {cwd: folder, environment});

const PYENV = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
/** Debian's has the interpreter in an executable with fixed addresses, those of pyenv in a shared library. */
const PYTHONS = [
  {python: SYSTEM_PYTHON, isLinkable: hasLinkablePython()},
  ...['3.10.13', '3.12.1', '3.13.0'].map((version) => ({
    python: join(PYENV, version, 'bin/python3'),
    isLinkable: true,
  })),
]
  .filter(({python}) => existsSync(python))
  .flatMap(({python, isLinkable}) => [
    ...(isLinkable ? [{python, method: 'link'}] : []),
    ...(process.arch === 'x64' ? [{python, method: 'graft'}] : []),
  ]);

/** What modules in shared libraries do, and classes, exceptions and threads of a program that runs on. */
const PROGRAM = `import array, asyncio, bisect, datetime, decimal, hashlib, heapq, json, math, mmap, pickle, select, sqlite3, ssl, struct, sys, zlib
print(array.array('i', [3, 1]), bisect.bisect([1, 2], 2), datetime.timedelta(days=2), decimal.Decimal(1) / 7, heapq.nsmallest(1, [3, 2]))
print(json.dumps({'a': [1.5, None]}), json.loads('[1, {"b": "c"}]'), math.hypot(3, 4), pickle.loads(pickle.dumps({1: b'x'})))
print(hashlib.sha256(b'x').hexdigest(), hashlib.blake2b(b'x', digest_size=8).hexdigest(), zlib.crc32(zlib.compress(b'x' * 99)))
print(sqlite3.connect(':memory:').execute('select 6 * 7').fetchone(), ssl.create_default_context().verify_mode, struct.unpack('<I', b'abcd'))
async def main():
    await asyncio.sleep(0)
    return (await asyncio.gather(asyncio.to_thread(sum, [1, 2]), asyncio.sleep(0, 7)))
print(asyncio.run(main()))
try:
    json.loads('{')
except json.JSONDecodeError as error:
    print(error, type(error).__mro__)
`;

describe.each(PYTHONS)('$python, $method', ({python, method}) => {
  const name = `${python} ${method}`.replaceAll(/\W/g, '-');
  const build = (from: string, ...words: string[]): ReturnType<typeof snapshot> =>
    snapshot('--python', from, '--method', method, '--build-dir', join(folder, `build${name}`), ...words);
  const out = join(folder, 'bin', name);
  mkdirSync(join(folder, 'bin'), {recursive: true});

  test('a start goes on from memory, and does what the Python does', async () => {
    const {summary, stderr} = await build(
      python,
      ...['--out', out],
      ...['--trace', '-c "import array, asyncio, datetime, decimal, hashlib, json, math, pickle, struct"'],
      ...['--startup'],
    );
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toMatch(/array|math|_json|_struct/);
    const loaded = 'import sys; print([name in sys.modules for name in ("json", "_json", "pickle", "math")])';
    expect(await start(out, '-c', `${loaded}; ${STATE}`)).toMatchObject({
      stdout: '[True, True, True, True]\nrestored\n',
    });
    const expected = await start(python, '-c', PROGRAM);
    expect(expected).toMatchObject({exitCode: 0, stderr: ''});
    expect(await start(out, '-c', PROGRAM)).toEqual(expected);
    const paths = 'import sys; print(sys.prefix, sys.base_prefix, sys.path, sys.flags)';
    expect((await start(out, '-c', paths)).stdout).toBe((await start(python, '-c', paths)).stdout);
  });

  test('an edited source means an ordinary start, and the next build another snapshot', async () => {
    const script = join(folder, `script${name}.py`);
    const packages = (
      await start(python, '-c', 'import site; print(site.getusersitepackages())')
    ).stdout.trim();
    const module = join(packages, 'edited.py');
    mkdirSync(packages, {recursive: true});
    writeFileSync(module, 'VALUE = 1\n');
    writeFileSync(
      script,
      `import json, sys, edited, _flashfreeze\nprint(json.dumps([edited.VALUE, sys.argv[1:]]), _flashfreeze.info()["snapshot"])\n`,
    );
    const program = join(folder, 'bin', `program${name}`);
    const make = async (): Promise<void> => {
      const {summary, stderr} = await build(python, '--out', program, '--entry', script);
      if (!summary.ok) throw new Error(stderr);
    };
    await make();
    expect(await start(program, '-c', 'x')).toMatchObject({
      exitCode: 0,
      stdout: '[1, ["-c", "x"]] restored\n',
    });
    writeFileSync(module, 'VALUE = 20\n');
    const changed = await start(program);
    expect(changed.stdout).toMatch(/^\[20, \[\]\] (?!restored)/);
    await make();
    expect((await start(program)).stdout).toBe('[20, []] restored\n');
  });

  test('a program of a virtual environment runs in it, wherever its executable lies', async () => {
    const environmentFolder = join(folder, `environment${name}`);
    const made = await start(python, '-m', 'venv', '--without-pip', environmentFolder);
    expect(made).toMatchObject({exitCode: 0});
    const own = join(environmentFolder, 'bin', 'python');
    const paths = await start(own, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))');
    const question =
      'json.dumps([sys.prefix, sys.base_prefix, sys.executable, sys.path, json.__name__, sys.argv[1:]])';
    writeFileSync(
      join(paths.stdout.trim(), 'kept_here.py'),
      `import json, sys\ndef main():\n    print(${question})\n    try:\n        import _flashfreeze\n        print(_flashfreeze.info()["snapshot"])\n    except ImportError:\n        pass\n`,
    );
    const program = join(folder, 'bin', `environment${name}`);
    const {summary, stderr} = await build(own, ...['--out', program, '--entry', 'kept_here:main']);
    if (!summary.ok) throw new Error(stderr);
    const code = 'from kept_here import main; main()';
    // The first entry of a command's path is the working directory; a program has none.
    const expected = await start(own, '-I', '-c', code, 'x');
    const found = await start(program, 'x');
    expect(found).toMatchObject({exitCode: 0, stderr: ''});
    const [said, state] = found.stdout.split('\n');
    expect(JSON.parse(said ?? '')).toEqual(JSON.parse(expected.stdout.split('\n')[0] ?? ''));
    expect(state).toBe('restored');
    renameSync(environmentFolder, `${environmentFolder}-moved`);
    expect(await start(program)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("No module named 'kept_here'"),
    });
  });

  test('a library that was changed means an ordinary start', async () => {
    const packages = (
      await start(python, '-c', 'import site; print(site.getusersitepackages())')
    ).stdout.trim();
    const json = (
      await start(python, '-c', 'import _json; print(getattr(_json, "__file__", ""))')
    ).stdout.trim();
    const library = join(packages, `_own_json${json.slice(json.indexOf('.cpython'))}`);
    copyFileSync(json, library);
    writeFileSync(
      join(packages, 'with_library.py'),
      `import importlib.util, importlib.machinery
loader = importlib.machinery.ExtensionFileLoader('_json', ${JSON.stringify(library)})
spec = importlib.util.spec_from_file_location('_json', ${JSON.stringify(library)}, loader=loader)
library = importlib.util.module_from_spec(spec)
loader.exec_module(library)
`,
    );
    const program = join(folder, 'bin', `library${name}`);
    const {summary, stderr} = await build(python, '--out', program, '--module', 'with_library');
    if (!summary.ok) throw new Error(stderr);
    const use = `import with_library; print(with_library.library.encode_basestring('x'))`;
    expect(await start(program, '-c', `${use}; ${STATE}`)).toMatchObject({stdout: '"x"\nrestored\n'});
    utimesSync(library, 1_000_000_000, 1_000_000_000);
    const {stdout, exitCode} = await start(program, '-c', `${use}; ${STATE}`);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^"x"\n(?!restored)/)]);
  });
});

test('what cannot be had is rejected', async () => {
  const out = join(folder, 'bin', 'rejected');
  const rejected = async (code: string, ...words: string[]): Promise<void> => {
    const {summary, stderr} = await snapshot(...words, '--out', out);
    expect(summary.ok).toBe(false);
    expect(stderr).toContain(`error[${code}]`);
  };
  await rejected('USAGE', '--python', SYSTEM_PYTHON, '--source', folder);
  await rejected('USAGE');
  await rejected('USAGE', '--python', SYSTEM_PYTHON, '--configure-arg=-x');
  const old = join(PYENV, '3.9.18', 'bin/python3');
  if (!existsSync(old)) return;
  await rejected('PYTHON_VERSION', '--python', old);
});
