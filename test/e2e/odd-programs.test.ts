/** Programs that are laid out in ways which tools do not expect: what they print, and how they end, is as without frozen modules. */
import {accessSync, constants, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreezeJson, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {testWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('odd');
const python = findPythons().at(-1)?.python ?? 'python3';

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

let serial = 0;
/** A directory with these files. */
function place(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = join(folder, String((serial += 1)));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), {recursive: true});
    writeFileSync(join(root, name), content);
  }
  return root;
}

/** Builds in a directory, with a build directory there. */
async function relink(root: string, selection: readonly string[], name = 'frozen') {
  const out = join(root, name);
  const places = ['--python', python, '--out', out, '--build-dir', join(root, 'build')];
  const done = await flashfreezeJson(['relink', ...places, ...selection], {cwd: root});
  expect(done.summary).toMatchObject({ok: true});
  const warnings = done.events.flatMap((event) =>
    event.type === 'warning' ? [String(event['message'])] : [],
  );
  return {out, warnings, summary: done.summary};
}

/** Both interpreters do the same, and these modules are static code in the new one. */
async function expectSame(out: string, args: readonly string[], frozen: readonly string[], cwd: string) {
  const [ordinary, ours] = [
    await run(python, ['-B', ...args], {cwd}),
    await run(out, ['-B', ...args], {cwd}),
  ];
  expect(ours).toEqual(ordinary);
  const code = 'import _flashfreeze; print(*(each.name for each in _flashfreeze.modules()), sep="\\n")';
  const images = (await run(out, ['-B', '-c', code])).stdout.split('\n');
  expect(images).toEqual(expect.arrayContaining([...frozen]));
  return ours;
}

/** Every kind of constant, several times. */
const IDENTITY = `
nans = [1e400 - 1e400, 1e400 - 1e400, 0 * 1e400, complex(0, 1e400) - 1e400j]
held = [(1e400 - 1e400, 1.5), (1e400 - 1e400, 1.5), ((1e400 * 0,), 2), ((1e400 * 0,), 2)]
lambda_ = "<lambda>"
f = lambda: 1e400 - 1e400
def g(x): return x in {1e400 - 1e400, 7.25}
def h(): return (1.5, -0.0, 0.0, 1 << 70, b"bytes here", "text here", ("a b", 2.5), 3j, 1e400)
def i(): return (1.5, -0.0, 0.0, 1 << 70, b"bytes here", "text here", ("a b", 2.5), 3j, 1e400)
def j(): return [1.5, -0.0, 0.0, 1 << 70, b"bytes here", "text here", ("a b", 2.5), 3j, 1e400]
def k(): return [1.5, -0.0, 0.0, 1 << 70, b"bytes here", "text here", ("a b", 2.5), 3j, 1e400]
def answers():
    everything = [*nans, *held, f(), f(), h(), i(), *h(), *i(), *j(), *k()]
    return [
        [a is b for a in everything for b in everything],
        [nans.count(a) for a in nans], [held.index(a) for a in held], [held.count(a) for a in held],
        [a in held for a in held], g(f()), g(nans[0]), f() is f(), h() is i(), h() == i(),
    ]
`;

test('one file that is several modules: each has its own names in tracebacks', async () => {
  const root = place({
    'pkg/__init__.py': '',
    'pkg/sub/__init__.py': '',
    'pkg/sub/tool.py': [
      'def where():',
      '    return __name__, __spec__.origin, where.__code__.co_filename, (lambda: 0).__code__.co_filename',
      'def fail():',
      '    raise ValueError(__name__)',
    ].join('\n'),
    'main.py': [
      'import sys, traceback',
      'here = sys.path[0]',
      'sys.path += [here + "/pkg", here + "/pkg/sub", here + "/alias"]',
      'import tool, sub.tool, pkg.sub.tool, renamed.tool',
      'for module in (pkg.sub.tool, renamed.tool, tool, sub.tool):',
      '    print(module.where())',
      '    try: module.fail()',
      '    except ValueError: traceback.print_exc(file=sys.stdout)',
    ].join('\n'),
  });
  mkdirSync(join(root, 'alias'));
  symlinkSync('../pkg/sub', join(root, 'alias/renamed'));
  const {out, warnings} = await relink(root, ['--trace', 'main.py']);
  expect(warnings).toEqual([]);
  const modules = ['tool', 'sub.tool', 'pkg.sub.tool', 'renamed.tool'];
  const {stdout} = await expectSame(out, ['main.py'], modules, root);
  expect(stdout).toContain(`File "${root}/alias/renamed/tool.py", line`);
});

test('a module that comes from another file than in the last build', async () => {
  const files = (release: string) => ({
    [`${release}/main.py`]: `import part\nprint(part.value(), ${release === 'one' ? 1 : 2})\n`,
    [`${release}/part.py`]: `def value():\n    return __file__, ${JSON.stringify(release)}\n`,
  });
  const root = place({...files('one'), ...files('two')});
  symlinkSync('one', join(root, 'current'));
  const select = ['--trace', 'current/main.py'];
  const {out} = await relink(root, select);
  await expectSame(out, ['current/main.py'], ['part'], root);
  symlinkSync('two', join(root, 'next'));
  renameSync(join(root, 'next'), join(root, 'current'));
  const again = await relink(root, select);
  const {stdout} = await expectSame(again.out, ['current/main.py'], ['part'], root);
  expect(stdout).toContain('two/part.py');
  const origins =
    'import _flashfreeze; print([each.origin for each in _flashfreeze.modules() if each.name == "part"])';
  expect((await run(out, ['-B', '-c', origins])).stdout).toBe(`['${root}/two/part.py']\n`);
  // The unit of the new file was an action beside that of the old one: it is the module's own from the next build on.
  expect(['', 'compile:part']).toContain((await relink(root, select)).summary.executed.join());
  expect((await relink(root, select)).summary.executed).toEqual([]);
});

/** For `-c`: whether functions `f` of modules are static code. */
const statics = (modules: readonly string[], path: readonly string[]): readonly string[] => [
  '-c',
  `import sys, importlib, _flashfreeze\nsys.path[:0] = ${JSON.stringify(path)}\n` +
    `for name in ${JSON.stringify(modules)}: print(_flashfreeze.is_static(importlib.import_module(name).f.__code__))`,
];

test('entries of sys.path with slashes at their end, and packages more than 512 bytes below one', async () => {
  const levels = Array.from({length: 100}, (_, i) => `level_${i}`);
  const packages = levels.map((_, i) => [
    `lib/${levels.slice(0, i + 1).join('/')}/__init__.py`,
    'def f(): pass\n',
  ]);
  const modules = ['one', 'pk', 'pk.two', levels.join('.'), 'n'.repeat(252)];
  const root = place({
    'lib/one.py': 'def f(): pass\n',
    'lib/pk/__init__.py': 'def f(): pass\n',
    'lib/pk/two.py': 'def f(): pass\n',
    [`lib/${'n'.repeat(252)}.py`]: 'def f(): pass\n',
    ...(Object.fromEntries(packages) as Record<string, string>),
    'main.py': [
      'import sys, importlib',
      'sys.path.insert(0, sys.path[0] + "/lib//")',
      `for module in map(importlib.import_module, ${JSON.stringify(modules)}):`,
      '    print(module.__file__, module.__cached__, module.__spec__, getattr(module, "__path__", None), module.f.__code__)',
    ].join('\n'),
  });
  const {out} = await relink(root, ['--trace', 'main.py']);
  const normal = (text: string): string => text.replaceAll(/0x[0-9a-f]+/g, 'ADDRESS');
  const [ordinary, ours] = [
    await run(python, ['-B', 'main.py'], {cwd: root}),
    await run(out, ['-B', 'main.py'], {cwd: root}),
  ];
  expect({...ours, stdout: normal(ours.stdout)}).toEqual({...ordinary, stdout: normal(ordinary.stdout)});
  expect(ordinary.exitCode).toBe(0);
  for (const entry of ['lib', 'lib/', 'lib//']) {
    const done = await run(out, statics(modules, [join(root, entry)]));
    expect(done).toEqual({exitCode: 0, stderr: '', stdout: 'True\n'.repeat(modules.length)});
  }
});

/** The root directory, where this user may write there. */
const rootFolder = isWritable('/') ? '/' : undefined;
testWith(rootFolder, 'a root directory that may be written to')(
  'modules that lie in the root directory',
  async () => {
    const name = `flashfreeze_test_${process.pid}`;
    const files = [`/${name}.py`, `/${name}_pk`];
    try {
      writeFileSync(`/${name}.py`, 'def f(): return __file__, __cached__, f.__code__.co_filename\n');
      mkdirSync(`/${name}_pk`);
      writeFileSync(
        `/${name}_pk/__init__.py`,
        'def f(): return __file__, __path__, f.__code__.co_filename\n',
      );
      writeFileSync(`/${name}_pk/part.py`, 'def f(): return __file__, __cached__, __spec__.origin\n');
      const modules = [name, `${name}_pk`, `${name}_pk.part`];
      const code = `import ${modules.join(', ')}; print(${modules.map((each) => `${each}.f()`).join(', ')})`;
      const root = place({});
      mkdirSync(root);
      const {out} = await relink(root, ['--trace', `-c "import sys; sys.path.insert(0, '/'); ${code}"`]);
      await expectSame(out, ['-c', code], modules, '/');
      expect((await run(out, statics(modules, ['/']))).stdout).toBe('True\n'.repeat(modules.length));
    } finally {
      for (const file of files) rmSync(file, {recursive: true, force: true});
    }
  },
);

test('constants are one object, or several, as after an import from bytecode', async () => {
  const root = place({
    'one.py': `${IDENTITY}\nmarker = "- shared marker -"\nnamed = "shared_name"\n`,
    'two.py': `${IDENTITY}\nmarker = "- shared marker -"\nnamed = "shared_name"\n`,
    'main.py': [
      'import one, two',
      'for module in (one, two): print(module.answers())',
      'print(one.marker is two.marker, one.named is two.named, one.lambda_ is two.lambda_)',
      'print(one.lambda_ is one.f.__code__.co_name, one.nans[0] in two.nans, two.nans.count(one.nans[0]))',
    ].join('\n'),
  });
  const {out} = await relink(root, ['--trace', 'main.py']);
  await expectSame(out, ['main.py'], ['one', 'two'], root);
  const {summary} = await flashfreezeJson(['verify', '--images', out], {cwd: root});
  expect(summary).toMatchObject({ok: true});
});
