/**
 * Imports that change the import system while they run, that find parts of it replaced, or that threads, signals, forks and
 * destructors come into, in every installed Python, relinked and with an overlay, and in grafts of the newer ones: what is printed, and how
 * it ends, is as without frozen modules. (More cases: test/fidelity.)
 */
import {cpSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeAll, describe, expect, jest, test} from '@jest/globals';
import {NEWER_SERIES, newerDebianRoot, runInRoot} from '../../support/debian-root.js';
import {findPythons} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {CACHE, PACKAGE, type Run, flashfreezeJson, run} from '../../support/rig.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);
const PROGRAMS = join(import.meta.dirname, 'import-guards');
const PLAIN = readFileSync(join(PROGRAMS, 'plain.py'), 'utf8');
const folder = temporaryDirectory('import-guards');

/** The programs beside this, and how many cases each has at the least. */
const EACH: readonly [string, number][] = [
  ['changes', 40],
  ['replacements', 70],
  ['interruptions', 25],
  ['identities', 22],
  ['rooms', 18],
  ['parents', 15],
];
const ENVIRONMENT = {PYTHONPATH: undefined, FLASHFREEZE: undefined, PYTHONDONTWRITEBYTECODE: '1'};

describe.each(findPythons().map(({series, python}) => [series, python] as const))('%s', (series, python) => {
  const app = join(folder, `app-${series}`);
  const overlay = join(folder, `overlay-${series}`);
  const hosts = {
    relink: {out: join(folder, series, `python${series}`), frozen: join(folder, series, `python${series}`)},
    overlay: {out: overlay, frozen: join(overlay, 'bin', `python${series}`)},
  };
  const runIn = (exe: string, ...words: readonly string[]): Promise<Run> =>
    run(exe, words, {cwd: app, environment: ENVIRONMENT});
  const isStatic = async (frozen: string): Promise<string> => {
    const code = 'import _flashfreeze as f, plain; print(f.is_static(plain.look.__code__), plain.value)';
    const done = await runIn(frozen, '-c', code);
    expect(done).toMatchObject({exitCode: 0, stderr: ''});
    return done.stdout.trim();
  };
  const ordinary: Record<string, Run> = {};

  beforeAll(async () => {
    cpSync(PROGRAMS, app, {recursive: true});
    mkdirSync(join(folder, series));
    for (const [name] of EACH) ordinary[name] = await runIn(python, `${name}.py`);
  });

  describe.each(['relink', 'overlay'] as const)('%s', (host) => {
    const {out, frozen} = hosts[host];
    beforeAll(async () => {
      const words = [host, '--python', python, '--out', out, '--trace', join(app, 'everything.py')];
      const {summary, stderr} = await flashfreezeJson(words, {cwd: app});
      if (!summary.ok) throw new Error(stderr);
    });

    test('has frozen modules', async () => {
      expect(await isStatic(frozen)).toBe('True plain');
    });

    test.each(EACH)('%s are seen as without frozen modules', async (name, count) => {
      expect(ordinary[name]).toMatchObject({exitCode: 0, stderr: ''});
      expect(ordinary[name]?.stdout.match(/^== /gm)?.length).toBeGreaterThan(count);
      expect(ordinary[name]?.stdout).not.toContain('ended with');
      expect(await runIn(frozen, `${name}.py`)).toEqual(ordinary[name]);
    });
  });

  describe('stamps', () => {
    const {out, frozen} = hosts.overlay;
    const kept = join(folder, `stamps-${series}`);
    let stamps: string;
    beforeAll(() => {
      const found = readdirSync(out).filter((name) => name.endsWith('.stamps'));
      expect(found).toHaveLength(1);
      stamps = join(out, found[0] ?? '');
      cpSync(stamps, kept, {preserveTimestamps: true});
    });
    afterEach(() => {
      cpSync(kept, stamps, {preserveTimestamps: true});
    });

    test('written in place while another process reads them do no harm', async () => {
      const done = await runIn(frozen, 'rewrite.py', stamps);
      expect(done).toMatchObject({exitCode: 0, stdout: 'ended with 0\n', stderr: ''});
      expect(await isStatic(frozen)).toBe('True plain');
    });

    test.each<[string, () => void]>([
      ['as they were', () => undefined],
      [
        'missing',
        () => {
          rmSync(stamps);
        },
      ],
      [
        'cut off',
        () => {
          truncateSync(stamps, 100);
        },
      ],
    ])('%s: an edited source is noticed', async (_, spoil) => {
      writeFileSync(join(app, 'plain.py'), `${PLAIN}value = "edited"\n`);
      spoil();
      expect(await isStatic(frozen)).toBe('False edited');
    });
  });
});

const root = await newerDebianRoot(); // says why, where it cannot be had

describeWith(root, 'a newer Debian').each(NEWER_SERIES)('graft %s', (series) => {
  const app = join(folder, `app-graft-${series}`);
  const frozen = join(folder, `graft-${series}`, `python${series}`);
  const runIn = async (argv: readonly string[]): Promise<Run> => {
    const environment = {PYTHONDONTWRITEBYTECODE: '1', FLASHFREEZE_CACHE_DIR: join(CACHE, 'store')};
    const binds = {[PACKAGE]: 'read', [CACHE]: 'write', [folder]: 'write'} as const;
    const done = await runInRoot(root ?? '', argv, {binds, environment, cwd: app});
    if (!done.ok) throw new Error(done.failure.message);
    return {exitCode: done.value.exitCode, stdout: done.value.stdout, stderr: done.value.stderr};
  };

  beforeAll(async () => {
    cpSync(PROGRAMS, app, {recursive: true});
    const words = ['relink', '--method', 'graft', '--python', `/usr/bin/python${series}`, '--out', frozen];
    const flashfreeze = ['node', join(PACKAGE, 'bin/flashfreeze.mjs')];
    const made = await runIn([...flashfreeze, ...words, '--trace', join(app, 'everything.py')]);
    if (made.exitCode !== 0) throw new Error(made.stderr);
  });

  test('has frozen modules, and imports in C', async () => {
    const code =
      'import _flashfreeze as f, plain, _frozen_importlib as b; print(f.is_static(plain.look.__code__), type(b._find_and_load).__name__)';
    expect(await runIn([frozen, '-c', code])).toMatchObject({stdout: 'True builtin_function_or_method\n'});
  });

  test.each(EACH)('%s are seen as without frozen modules', async (name, count) => {
    const ordinary = await runIn([`/usr/bin/python${series}`, `${name}.py`]);
    expect(ordinary).toMatchObject({exitCode: 0, stderr: ''});
    expect(ordinary.stdout.match(/^== /gm)?.length).toBeGreaterThan(count);
    expect(await runIn([frozen, `${name}.py`])).toEqual(ordinary);
  });
});
