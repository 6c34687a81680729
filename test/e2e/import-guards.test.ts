/**
 * Imports that change the import system while they run, in overlays of every installed Python: what is printed, and how it
 * ends, is as without frozen modules. (Relinked Pythons and more cases: test/fidelity.)
 */
import {cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeAll, describe, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {type Run, flashfreezeJson, run} from '../../support/rig.js';

jest.setTimeout(10 * 60_000);
const PROGRAMS = join(import.meta.dirname, 'import-guards');
const PLAIN = readFileSync(join(PROGRAMS, 'plain.py'), 'utf8');
const folder = temporaryDirectory('import-guards');

describe.each(findPythons().map(({series, python}) => [series, python] as const))('%s', (series, python) => {
  const app = join(folder, `app-${series}`);
  const out = join(folder, `overlay-${series}`);
  const frozen = join(out, 'bin', `python${series}`);
  const runIn = (exe: string, ...words: readonly string[]): Promise<Run> =>
    run(exe, words, {
      cwd: app,
      environment: {PYTHONPATH: undefined, FLASHFREEZE: undefined, PYTHONDONTWRITEBYTECODE: '1'},
    });
  const isStatic = async (): Promise<string> => {
    const code = 'import _flashfreeze as f, plain; print(f.is_static(plain.look.__code__), plain.value)';
    const done = await runIn(frozen, '-c', code);
    expect(done).toMatchObject({exitCode: 0, stderr: ''});
    return done.stdout.trim();
  };

  beforeAll(async () => {
    cpSync(PROGRAMS, app, {recursive: true});
    const words = ['overlay', '--python', python, '--out', out, '--trace', join(app, 'everything.py')];
    const {summary, stderr} = await flashfreezeJson(words, {cwd: app});
    if (!summary.ok) throw new Error(stderr);
  });

  test('is seen as without frozen modules', async () => {
    expect(await isStatic()).toBe('True plain');
    const ordinary = await runIn(python, 'changes.py');
    expect(ordinary).toMatchObject({exitCode: 0, stderr: ''});
    expect(ordinary.stdout.match(/^== /gm)?.length).toBeGreaterThan(40);
    expect(ordinary.stdout).not.toContain('ended with');
    expect(await runIn(frozen, 'changes.py')).toEqual(ordinary);
  });

  describe('stamps', () => {
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
      expect(await isStatic()).toBe('True plain');
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
      expect(await isStatic()).toBe('False edited');
    });
  });
});
