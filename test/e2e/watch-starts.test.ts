/** `watch` that starts where something is wrong or is reached through links: what is mended or switched later is in the next interpreter. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, renameSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {afterEach, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {testWith} from '../support/with.js';
import {startWatching, type Watching} from '../support/watching.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('watch-starts');
const hasPatchelf = spawnSync('patchelf', ['--version']).status === 0;
const python = findPythons().at(-1)?.python ?? 'python3';
let serial = 0;
let watching: Watching | undefined;
afterEach(async () => {
  await watching?.stop();
  watching = undefined;
});

/** A directory with these files. */
function place(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = join(folder, String((serial += 1)));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), {recursive: true});
    writeFileSync(join(root, name), content);
  }
  return root;
}

async function watch(root: string, selection: readonly string[]): Promise<Watching> {
  const places = ['--out', join(root, 'frozen'), '--build-dir', join(root, 'build')];
  const cache = ['--cache-dir', join(folder, 'cache')];
  watching = await startWatching(['relink', '--python', python, ...places, ...cache, ...selection], root);
  return watching;
}

/** What functions `f` of modules return, and whether they are static. */
async function ask(root: string, modules: readonly string[], path: readonly string[]): Promise<unknown> {
  const code = `
import sys, json, importlib, _flashfreeze
sys.path[:0] = ${JSON.stringify(path)}
answer = {}
for name in ${JSON.stringify(modules)}:
    try: module = importlib.import_module(name)
    except Exception as error: answer[name] = type(error).__name__
    else: answer[name] = [module.f(), _flashfreeze.is_static(module.f.__code__)]
print(json.dumps(answer))`;
  const done = await run(join(root, 'frozen'), ['-B', '-c', code], {cwd: '/'});
  return done.exitCode === 0 ? JSON.parse(done.stdout) : done.stderr;
}

/** Waits until the interpreter answers so. */
async function becomes(expected: object, ...question: Parameters<typeof ask>): Promise<void> {
  let last: unknown;
  await watching
    ?.until('the answer', async () => {
      last = await ask(...question);
      return JSON.stringify(last) === JSON.stringify(expected);
    })
    .catch(() => undefined);
  expect(last).toEqual(expected);
}

const BROKEN: Readonly<Record<string, string | Uint8Array>> = {
  other_syntax: 'def f():\n    print "2"\n',
  nul: 'def f(): return 1\n\0\0',
  encoding: '# coding: nobody-knows\ndef f(): return 1\n',
  template: 'class {{ name }}:\n    pass\n',
};
const NAMES = Object.keys(BROKEN);

test.each([
  ['catches the errors', 'try: __import__(name)\n    except Exception: pass'],
  ['ends at the first of them', '__import__(name)'],
])('modules that are broken before the first trace, of a program that %s', async (_name, body) => {
  const main = `import sys\nsys.path.append(sys.path[0] + '/lib')\nfor name in ${JSON.stringify(NAMES)}:\n    ${body}\n`;
  const files = Object.entries(BROKEN).map(([name, content]) => [`lib/${name}.py`, content] as const);
  const root = place({'main.py': main, ...Object.fromEntries(files)});
  const {builds, stderr, until} = await watch(root, ['--trace', 'main.py']);
  const [first] = builds();
  expect(first).toMatchObject({ok: true, changed: []});
  expect(stderr().match(/warning: /g)).toHaveLength(1);
  const lib = [join(root, 'lib')];
  expect(await ask(root, NAMES.slice(0, 1), lib)).toEqual({other_syntax: 'SyntaxError'});
  for (const name of NAMES) {
    const [before, said] = [builds().length, stderr().length];
    writeFileSync(join(root, 'lib', `${name}.py`), `def f():\n    return ${JSON.stringify(name)}\n`);
    await becomes({[name]: [name, true]}, root, [name], lib);
    // The last one mends the program, too.
    await until('the build', () => builds().length > before);
    if (name === NAMES.at(-1)) expect(stderr().slice(said)).not.toContain('warning: ');
  }
  writeFileSync(join(root, 'lib', 'nul.py'), 'def f():\n    return "edited"\n');
  await becomes({nul: ['edited', true]}, root, ['nul'], lib);
});

test('a package with a broken file, which is mended and edited', async () => {
  const root = place({
    'pk/__init__.py': '',
    'pk/good.py': 'def f(): return 1\n',
    'pk/bad.py': 'def f(: return 1\n',
  });
  const {stderr} = await watch(root, ['--package', 'pk']);
  expect(stderr().match(/warning: /g)).toHaveLength(1);
  expect(stderr()).toContain('pk.bad');
  for (const word of ['mended', 'edited']) {
    writeFileSync(join(root, 'pk', 'bad.py'), `def f(): return ${JSON.stringify(word)}\n`);
    await becomes({'pk.bad': [word, true], 'pk.good': [1, true]}, root, ['pk.bad', 'pk.good'], [root]);
  }
});

test.each([
  ['on sys.path', 'current', 'current'],
  ['above an entry of sys.path', 'current', 'current/lib/python'],
  ['of a package', 'app/plugin', 'app'],
])('a link %s that is switched to another release', async (where, link, path) => {
  const below = where === 'of a package' ? '' : path.slice(link.length);
  const release = (name: string) => ({
    [`releases/${name}${below}/${where === 'of a package' ? '__init__' : 'plugin'}.py`]: `def f():\n    return ${JSON.stringify(name)}\n`,
  });
  const root = place({
    ...release('1'),
    ...release('2'),
    'main.py': `import sys\nsys.path.append(${JSON.stringify(path)})\nimport plugin\n`,
  });
  const at = (name: string): string => join(root, name);
  mkdirSync(dirname(at(link)), {recursive: true});
  symlinkSync(at('releases/1'), at(link));
  // A relative entry, as scripts have them.
  await watch(root, ['--trace', `-c "import sys; sys.path.append('${at(path)}'); import plugin"`]);
  const question = [root, ['plugin'], [at(path)]] as const;
  expect(await ask(...question)).toEqual({plugin: ['1', true]});
  symlinkSync(at('releases/2'), at('next'));
  renameSync(at('next'), at(link));
  await becomes({plugin: ['2', true]}, ...question);
  const file = `${at(`releases/2${below}`)}/${where === 'of a package' ? '__init__' : 'plugin'}.py`;
  writeFileSync(file, 'def f():\n    return "edited"\n');
  await becomes({plugin: ['edited', true]}, ...question);
});

testWith(hasPatchelf, 'patchelf')('a graft, of which an edit makes the library anew', async () => {
  const root = place({'pk/__init__.py': '', 'pk/good.py': 'def f(): return 1\n'});
  const {builds, until} = await watch(root, ['--method', 'graft', '--package', 'pk']);
  expect(builds()).toMatchObject([{ok: true, command: 'relink', method: 'graft', changed: []}]);
  const executable = statSync(join(root, 'frozen')).ino;
  for (const word of ['edited', 'again']) {
    const before = builds().length;
    writeFileSync(join(root, 'pk', 'good.py'), `def f(): return ${JSON.stringify(word)}\n`);
    await becomes({'pk.good': [word, true]}, root, ['pk.good'], [root]);
    await until('the build', () => builds().length > before);
    expect(builds().at(-1)).toMatchObject({
      ok: true,
      executed: ['compile:pk.good', 'generate:pk.good', 'link:images'],
    });
  }
  expect(statSync(join(root, 'frozen')).ino).toBe(executable);
});
