/** Bazel's remote cache on a real nginx: what one output base puts there, another one takes, and so does our own command line. */
import {cpSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {type Answer, bazelRoot, bazelSession, unpackPackage, processesOf} from '../support/bazel.js';
import {findNginx, startNginx, type Nginx} from '../support/nginx.js';
import {findPythons} from '../../support/pythons.js';
import {describeWith} from '../support/with.js';
import {CACHE, flashfreezeJson} from '../../support/rig.js';

jest.setTimeout(30 * 60_000);

const root = await bazelRoot('forky');
const program = findNginx();
const [python] = findPythons().slice(-1);

describeWith(root !== undefined && program !== undefined, 'Bazel 7 with nginx')('one server', () => {
  const folder = join(CACHE, 'bazel-cache');
  let nginx: Nginx;
  let answers: ReadonlyMap<string, Answer>;

  beforeAll(async () => {
    rmSync(folder, {recursive: true, force: true});
    mkdirSync(folder, {recursive: true});
    nginx = await startNginx(program ?? '');
    const {workspace} = unpackPackage(join(folder, 'package'));
    const second = join(folder, 'second', 'some where');
    cpSync(join(folder, 'package'), second, {recursive: true});
    const build = (base: string, ...words: string[]): string =>
      `bazel '${join(folder, base)}' build //tally --remote_cache=${nginx.url} ${words.join(' ')} && bazel-bin/tally/tally tally/numbers.csv`;
    answers = await bazelSession(root ?? '', 'forky', folder, workspace, [
      {
        name: 'python',
        line: `sed -i 's/"python3"/"python3.14"/' MODULE.bazel '${second}'/examples/*/MODULE.bazel`,
      },
      {name: 'filled', line: build('base')},
      {name: 'stop', line: `command bazel --output_base='${join(folder, 'base')}' shutdown`},
      {
        name: 'taken',
        line: `cd '${second}/examples/bazel-workspace' && ${build('other base', '--noremote_upload_local_results')}`,
      },
    ]);
  });
  afterAll(async () => {
    await nginx.stop();
    rmSync(folder, {recursive: true, force: true});
  });

  test('one output base fills it, and another one in another directory gets everything from it', () => {
    expect(answers.get('filled')).toMatchObject({exitCode: 0, text: expect.stringContaining('mean 2023.5')});
    expect(processesOf(answers.get('filled'))).toMatch(/^(\d+ internal, )?\d+ linux-sandbox$/);
    expect(answers.get('taken')).toMatchObject({exitCode: 0, text: expect.stringContaining('mean 2023.5')});
    expect(processesOf(answers.get('taken'))).toMatch(/^\d+ remote cache hit(, \d+ internal)?$/);
  });

  test('also serves the command line', async () => {
    const key = {environment: {FLASHFREEZE_CACHE_KEY: 'a secret of the team, long enough for all'}};
    const relink = (name: string, ...words: string[]): ReturnType<typeof flashfreezeJson> =>
      flashfreezeJson(
        [
          ...[
            'relink',
            '--python',
            python?.python ?? '',
            '--module',
            'json',
            '--remote-cache',
            nginx.url,
            ...words,
          ],
          ...['--out', join(folder, name, 'python'), '--build-dir', join(folder, name, 'build')],
          ...['--cache-dir', join(folder, name, 'cache')],
        ],
        key,
      );
    const made = await relink('one', '--remote-upload');
    expect(made.summary.ok).toBe(true);
    const taken = await relink('two');
    expect(taken.summary.ok).toBe(true);
    expect(taken.summary.executed.filter((id) => /^(compile|generate|cc):/.test(id))).toEqual([]);
    const [one, two] = ['one', 'two'].map((name) => readFileSync(join(folder, name, 'python')));
    expect(two?.equals(one ?? Buffer.of())).toBe(true);
  });
});
