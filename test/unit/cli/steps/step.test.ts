/** Single actions, as build systems call them. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, jest, test} from '@jest/globals';
import {runStep} from '../../../../src/cli/step.js';
import {findPythons} from '../../../../support/pythons.js';
import {compileProbe, headersOf} from '../../../support/image-layouts.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {writeFiles} from '../../cpython/folders.js';
import {describeWith} from '../../../support/with.js';

jest.setTimeout(60_000);
const folder = temporaryDirectory();
const newest = findPythons().at(-1);

/** Runs a step in a directory; its exit code and what it said. */
async function step(cwd: string, ...argv: string[]): Promise<{code: number; said: string}> {
  let said = '';
  const stream = {
    write: (text: string) => ((said += text), true),
    on: () => undefined,
    once: () => undefined,
    isTTY: false,
  };
  const processContext = {stdout: stream, stderr: stream, environment: process.env, cwd};
  const code = await runStep(argv, processContext);
  return {code, said};
}

const FREEZE = {python: 'no', source: 'no', module: 'm', filename: 'm.py', layout: 'no', object: 'o'};

describe('invalid usage', () => {
  test.each([
    [[], /step needs a name.*\nhint: expected one of target, freeze/],
    [['freze'], /unknown step freze/],
    [['constructor'], /unknown step constructor/],
    [['freeze', '--sauce', 'x'], /step freeze: Unknown option '--sauce'/],
    [['freeze', '--source'], /step freeze: .*--source/],
    [['hook', '--extension', 'x'], /step hook needs --target/],
  ])('%j', async (argv, words) => {
    const done = await step('/', ...argv);
    expect(done.code).toBe(2);
    expect(done.said).toMatch(words);
  });

  test('a file that is not there', async () => {
    const done = await step('/', 'freeze', ...words({...FREEZE, series: '3.13'}));
    expect(done).toMatchObject({code: 1, said: expect.stringMatching(/error\[IO\].*step freeze/)});
  });

  test('a version that is not known', async () => {
    const done = await step('/', 'freeze', ...words({...FREEZE, series: '3.9'}));
    expect(done).toMatchObject({code: 2, said: expect.stringMatching(/error\[PYTHON_VERSION\]/)});
  });
});

function words(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
}

describeWith(newest, 'an installed Python')('of an installed Python', () => {
  const {python = '', series = ''} = newest ?? {};

  const freeze = (cwd: string, source: string) => {
    const module = {module: 'pkg.m', filename: 'pkg/m.py', source, object: 'm.o'};
    return step(
      cwd,
      'freeze',
      ...words({python, series, ...module, layout: 'layout.json'}),
      '--position-independent',
    );
  };

  test('probe, read-probe and freeze: the same bytes in any directory', async () => {
    const include = headersOf(python);
    const strings = join(include, 'internal', 'pycore_global_strings.h');
    const own = existsSync(strings) ? ['--strings', strings] : [];
    const target = [...words({series}), ...own, '--position-independent'];
    const made = await Promise.all(
      ['one', 'an other'].map(async (name) => {
        const cwd = join(folder, name);
        writeFiles(cwd, {'m.py': 'import os.path\nWORDS = {"a", "b"}\ndef f(x): return x in WORDS\n'});
        expect(await step(cwd, 'probe', ...target, '--c', 'probe.c')).toEqual({code: 0, said: ''});
        compileProbe(join(cwd, 'probe.c'), join(cwd, 'probe.o'), include, 'position-independent');
        const read = words({object: 'probe.o', layout: 'layout.json'});
        expect(await step(cwd, 'read-probe', ...target, ...read)).toEqual({code: 0, said: ''});
        expect(await freeze(cwd, 'm.py')).toEqual({code: 0, said: ''});
        return ['layout.json', 'm.o'].map((file) => readFileSync(join(cwd, file), 'latin1'));
      }),
    );
    expect(made[0]).toEqual(made[1]);
    expect(made[0]?.[1]).toContain('pkg.m');
    expect(made[0]?.[1]).not.toContain(folder);
    const bad = join(folder, 'one');
    writeFiles(bad, {'bad.py': 'x = (\n'});
    expect(await freeze(bad, 'bad.py')).toMatchObject({
      code: 1,
      said: expect.stringMatching(/error\[COMPILE\][^]*bad\.py", line 1[^]*x = \(/),
    });
  });

  test('target, index and hook', async () => {
    expect(await step(folder, 'target', ...words({python, out: 'target.json'}))).toEqual({code: 0, said: ''});
    const target = JSON.parse(readFileSync(join(folder, 'target.json'), 'utf8')) as Record<string, unknown>;
    expect(target).toMatchObject({series, startup: expect.arrayContaining(['encodings.utf_8'])});
    const modules = [
      {name: 'json', isPackage: true, root: 'stdlib'},
      {name: 'app.main', isPackage: false, root: '_main/tools'},
    ];
    writeFileSync(join(folder, 'plan.json'), JSON.stringify({kind: 'overlay', modules}));
    expect(
      await step(folder, 'index', ...words({target: 'target.json', plan: 'plan.json', c: 'index.c'})),
    ).toEqual({
      code: 0,
      said: '',
    });
    const index = readFileSync(join(folder, 'index.c'), 'utf8');
    // The standard library wherever it is, and a directory below FLASHFREEZE_ROOT.
    expect(index).toMatch(/ff_roots\[\] = \{NULL,\s*"_main\/tools",\s*NULL/);
    expect(index).toContain('app/main');
    expect(index).not.toContain(folder);

    const hook = words({target: 'target.json', extension: '_flashfreeze.so', out: 'sitecustomize.py'});
    expect(await step(folder, 'hook', ...hook)).toEqual({code: 0, said: ''});
    const text = readFileSync(join(folder, 'sitecustomize.py'), 'utf8');
    expect(text).toContain("p = __file__.rpartition('/')[0] + '/_flashfreeze.so'");
    expect(text).not.toContain(folder);
  });

  test('trace: what runs of a program import, in that order, of what may be frozen', async () => {
    const place = join(folder, 'traced');
    writeFiles(place, {
      'start.py': 'import sys\nsys.path.insert(0, __file__[:-8] + "lib")\nimport one\n',
      'one.py':
        'import json, re, sys, two\nre.compile("ff(o)+")\nsys.exit(0 if open(sys.argv[1]).read() == "x" else 7)\n',
      'two.py': '',
      'three.py': 'raise SystemError',
      'data.txt': 'x',
    });
    expect(await step(place, 'target', ...words({python, out: 'target.json'}))).toMatchObject({code: 0});
    const own = (name: string) => ({
      ...{name, isPackage: false, root: 'lib'},
      ...{source: `${name}.py`, object: `out/"${name}".o`},
    });
    const request = (traces: readonly string[]) => ({
      kind: 'graft',
      // json is another one than that of the library.
      candidates: [
        ...['three', 'two', 'one', 'json'].map(own),
        {...own('re'), root: 'stdlib', isPackage: series > '3.10'},
      ],
      images: [{module: 'os', source: 'os.py'}],
      verify: true,
      program: {
        runfiles: {
          ...Object.fromEntries(['one', 'two', 'three'].map((name) => [`lib/${name}.py`, `${name}.py`])),
          ...{'start.py': 'start.py', 'ws/data file': 'data.txt', 'lib/empty/__init__.py': null},
        },
        directory: 'ws',
        start: 'start.py',
        traces,
      },
    });
    const trace = async (traces: readonly string[]) => {
      writeFileSync(join(place, 'request.json'), JSON.stringify(request(traces)));
      const files = {plan: 'plan.json', objects: 'objects', images: 'images.json'};
      return step(
        place,
        'trace',
        ...words({target: 'target.json', python, request: 'request.json', ...files}),
      );
    };
    expect(await trace([`'data file'`])).toEqual({code: 0, said: ''});
    const read = (name: string) =>
      JSON.parse(readFileSync(join(place, name), 'utf8')) as Record<string, unknown>;
    const {modules, prepared} = read('plan.json') as {
      modules: {name: string}[];
      prepared: Record<string, string>;
    };
    expect(modules.map(({name}) => name).filter((name) => name !== 're')).toEqual(['two', 'one']);
    expect(readFileSync(join(place, 'objects'), 'utf8')).toContain(String.raw`"out/\"two\".o"`);
    expect(read('images.json')['images']).toEqual(
      expect.arrayContaining([
        {module: 'os', source: 'os.py'},
        {module: 'one', source: 'one.py'},
      ]),
    );
    expect(JSON.stringify([modules, prepared])).not.toContain('three');
    expect(await trace(['data file'])).toMatchObject({
      code: 1,
      said: expect.stringMatching(/error\[TRACE\][^]*No such file[^]*exit code 0/),
    });
  });
});
