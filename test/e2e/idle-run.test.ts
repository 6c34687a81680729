/** The first idle run after a build, and every kind of change after it, seen by the state of what the build recorded. */
import {appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {readRunMemo, runQuestion} from '../../src/cli/noop/run-memo.js';
import {recallRun} from '../../src/cli/noop/up-to-date.js';
import {findPythons} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';
import {cli, objects} from '../unit/cli/rig.js';

jest.setTimeout(10 * 60_000);
const [found] = findPythons();

describeWith(found !== undefined, 'another Python')('an idle run', () => {
  const root = temporaryDirectory('idle-run');
  const app = join(root, 'app');
  const out = join(root, 'out');
  const buildDir = join(root, 'build');
  const module = join(app, 'tricky.py');
  const environment = {PATH: process.env['PATH'] ?? '', HOME: root};
  const argv = [
    ...['overlay', '--python', found?.python ?? '', '--out', out, '--trace', join(app, 'main.py')],
    ...['--build-dir', buildDir, '--cache-dir', join(root, 'cache'), '--json'],
  ];
  const surroundings = {cwd: app, environment, stdout: process.stdout, stderr: process.stderr};
  const build = async () => {
    const {exitCode, stdout} = await cli(argv, {cwd: app, environment});
    const summary = objects(stdout).at(-1);
    expect({exitCode, summary}).toMatchObject({exitCode: 0, summary: {ok: true}});
    return summary;
  };
  const isIdle = async (): Promise<boolean> => (await recallRun(argv, surroundings)) !== undefined;
  const extension = async (): Promise<string> => {
    const memo = await readRunMemo(runQuestion(argv, surroundings));
    return memo?.paths.find(({path}) => path.startsWith(out) && path.endsWith('.so'))?.path ?? '';
  };

  beforeAll(async () => {
    mkdirSync(app);
    writeFileSync(join(app, 'main.py'), 'import json, tricky\nprint(tricky.WORD)\n');
    writeFileSync(module, 'WORD = "first"\n');
    await build();
  });

  test('is recognised right after the build, and says what the build said', async () => {
    expect(await isIdle()).toBe(true);
    const idle = await build();
    expect(idle).toMatchObject({output: out, executed: [], actions: {executed: 0, cached: 0, failed: 0}});
    rmSync(join(root, 'cache', 'fresh'), {recursive: true});
    const ordinary = await build();
    const timeless = {wallMs: 0, time: 0};
    expect({...idle, ...timeless}).toEqual({...ordinary, ...timeless});
  });

  test('depends on the Python, its headers, the compiler, sources, outputs and our own C', async () => {
    const memo = await readRunMemo(runQuestion(argv, surroundings));
    const paths = memo?.paths.map(({path}) => path) ?? [];
    for (const ending of ['/Python.h', '/pyconfig.h', '/json/decoder.py', '/stdio.h', '/layouts/common.h']) {
      expect(paths.filter((path) => path.endsWith(ending))).not.toEqual([]);
    }
    expect(paths).toEqual(
      expect.arrayContaining([module, join(app, 'main.py'), app, join(app, 'flashfreeze.config.json')]),
    );
    expect(paths).toEqual(expect.arrayContaining([join(buildDir, 'journal.jsonl'), await extension()]));
    expect(paths.filter((path) => path.startsWith(join(buildDir, 'images'))).length).toBeGreaterThan(40);
  });

  const changes: readonly (readonly [string, () => void | Promise<void>])[] = [
    [
      'an edited source',
      () => {
        writeFileSync(module, 'WORD = "other"\n');
      },
    ],
    [
      'an edited program',
      () => {
        appendFileSync(join(app, 'main.py'), '# more\n');
      },
    ],
    [
      'a new file that shadows a module',
      () => {
        writeFileSync(join(app, 'json.py'), '');
      },
    ],
    [
      'that file gone again',
      () => {
        rmSync(join(app, 'json.py'));
      },
    ],
    [
      'a configuration file',
      () => {
        writeFileSync(join(app, 'flashfreeze.config.json'), '{}');
      },
    ],
    [
      'a changed output',
      async () => {
        appendFileSync(await extension(), 'x');
      },
    ],
    [
      'a deleted output',
      async () => {
        rmSync(await extension());
      },
    ],
    [
      'a deleted start hook',
      () => {
        rmSync(join(out, 'flashfreeze.pth'));
      },
    ],
    [
      'deleted stamps of sources',
      async () => {
        rmSync(`${await extension()}.stamps`);
      },
    ],
    [
      'a deleted object',
      () => {
        rmSync(join(buildDir, 'images'), {recursive: true});
      },
    ],
    [
      'a deleted journal',
      () => {
        rmSync(join(buildDir, 'journal.jsonl'));
      },
    ],
  ];
  test.each(changes)('%s is noticed', async (_name, change) => {
    expect(await isIdle()).toBe(true);
    await change();
    expect(await isIdle()).toBe(false);
    await build();
    expect(await isIdle()).toBe(true);
    expect(existsSync(await extension())).toBe(true);
  });

  test('repeats what the build said of its inputs', async () => {
    mkdirSync(join(app, 'odd'));
    writeFileSync(join(app, 'odd', '__init__.py'), '');
    writeFileSync(join(app, 'odd', 'bad.py'), 'print "for another Python"\n');
    const odd = [...argv, '--package', 'odd'];
    const warnings = async () => {
      const {exitCode, stdout} = await cli(odd, {cwd: app, environment});
      expect(exitCode).toBe(0);
      return objects(stdout).filter(({type}) => type === 'warning');
    };
    const first = await warnings();
    expect(first).toMatchObject([{message: expect.stringContaining('odd.bad')}]);
    expect(await recallRun(odd, surroundings)).toBeDefined();
    const timeless = first.map((event) => ({...event, time: expect.anything()}));
    expect(await warnings()).toEqual(timeless);
    writeFileSync(join(app, 'odd', 'bad.py'), 'print("for this one")\n');
    expect(await recallRun(odd, surroundings)).toBeUndefined();
    expect(await warnings()).toEqual([]);
    rmSync(join(app, 'odd'), {recursive: true});
    await build();
  });

  test('another environment, command line or working directory is another question', async () => {
    const other = {...surroundings, environment: {...environment, CC: 'cc'}};
    expect(await recallRun(argv, other)).toBeUndefined();
    expect(await recallRun([...argv, '--startup'], surroundings)).toBeUndefined();
    expect(await recallRun(argv, {...surroundings, cwd: root})).toBeUndefined();
    expect(await recallRun(argv, {...surroundings, environment: {...environment, SHLVL: '7'}})).toBeDefined();
  });

  test('a memo that is damaged is none', async () => {
    const {file} = runQuestion(argv, surroundings);
    const text = readFileSync(file, 'utf8');
    for (const damaged of [text.slice(0, -20), text.replace('"file"', '"fool"'), '{}']) {
      writeFileSync(file, damaged);
      expect(await isIdle()).toBe(false);
    }
    writeFileSync(file, text);
    expect(await isIdle()).toBe(true);
  });
});
