/** A snapshot holds what one user's process had in memory: with other users, and with more rights than its user has, an executable starts the ordinary way. */
import {spawnSync} from 'node:child_process';
import {chmodSync, copyFileSync, realpathSync, renameSync, statSync, utimesSync} from 'node:fs';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {withoutUsersVariables} from '../../support/rig.js';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(60 * 60_000);
const OTHER = 64_005;
/** The user may have a home that others may not enter: with this, permissions to read are no obstacle. */
const READING = ['--ambient-caps', '+dac_read_search', '--inh-caps', '+dac_read_search'];
const folder = temporaryDirectory('snapshot-users');
const canBeOthers = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0;

describeWith(canBeOthers, 'root, and setpriv')('a snapshot of root', () => {
  let rig: SnapshotRig;
  let file: string;
  beforeAll(async () => {
    rig = await snapshotRig(folder);
    chmodSync(folder, 0o755);
    const {summary, stderr} = await rig.build('--module', 'json');
    if (!summary.ok) throw new Error(stderr);
    file = realpathSync(rig.out);
    expect(await rig.stateOf()).toBe('restored');
  });

  /** What a start by other users and groups prints. */
  function startAs(words: readonly string[], code = STATE): string {
    const environment = {...withoutUsersVariables(), HOME: `${folder}/home`, LANG: 'C.UTF-8'};
    const started = spawnSync('setpriv', [...words, ...READING, rig.out, '-c', code], {
      cwd: folder,
      env: environment,
      encoding: 'utf8',
    });
    expect(started).toMatchObject({status: 0, stderr: ''});
    return started.stdout.trim();
  }

  const ids = (uid: number, gid: number): string[] => [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  test.each([
    ['another user', ids(OTHER, OTHER)],
    ['another user of its group', ids(OTHER, 0)],
    ['its user in another group', ids(0, OTHER)],
  ])('is not used by %s', (_, words) => {
    expect(startAs(words)).toBe('it was made by another user');
    expect(startAs(words, 'import json; print(json.dumps([1]))')).toBe('[1]');
  });

  test.each([
    ['another user in fact', [`--euid=${OTHER}`, '--clear-groups']],
    ['another user who acts for it', [`--ruid=${OTHER}`, '--clear-groups']],
  ])('is not used by %s', (_, words) => {
    expect(startAs(words)).toBe('the process has more rights than its user');
  });

  test('is not used with the rights of the owner of the file', () => {
    const plain = `${file}.plain`;
    const {atime, mtime} = statSync(file);
    renameSync(file, plain);
    try {
      copyFileSync(plain, file);
      chmodSync(file, 0o4755);
      utimesSync(file, atime, mtime);
      expect(startAs(ids(OTHER, 0))).toBe('the process has more rights than its user');
      const code = 'import json, os; print(json.dumps([os.getuid(), os.geteuid()]))';
      expect(startAs(ids(OTHER, 0), code)).toBe(`[${OTHER}, 0]`);
    } finally {
      renameSync(plain, file);
    }
  });
});
