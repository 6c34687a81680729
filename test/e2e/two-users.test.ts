/** Two users of one machine who share a cache and a group, and need not be friends. */
import {spawnSync} from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {hasLinkablePython, SYSTEM_PYTHON} from '../support/linkable-python.js';
import {copyProgram} from '../support/program-copy.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);

const GROUP = 64_000;
type Name = 'ada' | 'ben';
const USERS: Readonly<Record<Name, number>> = {ada: 64_001, ben: 64_002};
const isRoot = process.getuid?.() === 0;
const canLink = isRoot && hasLinkablePython();

const folder = temporaryDirectory('two-users');
const code = join(folder, 'code');
const cache = join(folder, 'cache');
const home = (name: Name): string => join(folder, name);

beforeAll(() => {
  if (!canLink) return;
  chmodSync(folder, 0o755);
  copyProgram(code);
  mkdirSync(cache);
  chownSync(cache, 0, GROUP);
  chmodSync(cache, 0o2770);
  for (const name of ['ada', 'ben'] as const) {
    mkdirSync(home(name), {mode: 0o755});
    chownSync(home(name), USERS[name], GROUP);
  }
});

interface Done {
  readonly status: number | null;
  readonly text: string;
}

/** Runs flashfreeze as one of the users, with the shared cache. */
function as(name: Name, ...args: readonly string[]): Done {
  const done = spawnSync(
    process.execPath,
    [join(code, 'bin/flashfreeze.mjs'), ...args, '--cache-dir', cache],
    {
      uid: USERS[name],
      gid: GROUP,
      cwd: home(name),
      env: {PATH: process.env['PATH'], HOME: home(name)},
      encoding: 'utf8',
    },
  );
  return {status: done.status, text: done.stdout + done.stderr};
}

const relink = (name: Name, ...more: readonly string[]): Done =>
  as(
    name,
    'relink',
    '--python',
    SYSTEM_PYTHON,
    '--out',
    join(home(name), 'python'),
    '--module',
    'textwrap',
    ...more,
  );

/** The build directories of a user. */
const ownBuilds = (name: Name): string => join(home(name), '.cache/flashfreeze/builds');

describeWith(canLink, 'root, and a Python of the system that can be relinked')('a shared cache', () => {
  test('each user relinks; build directories and memos are private, and only contents are shared', () => {
    for (const name of ['ada', 'ben'] as const) {
      const done = relink(name);
      expect(done).toMatchObject({status: 0});
      for (const path of [join(home(name), '.cache/flashfreeze'), ownBuilds(name)]) {
        const {mode, uid} = statSync(path);
        expect([path, uid, (mode & 0o777).toString(8)]).toEqual([path, USERS[name], '700']);
      }
    }
    expect(
      readdirSync(cache).filter((name) => !['ac', 'cas', 'tmp', 'collected.json'].includes(name)),
    ).toEqual([]);
    // Results of each other are not used, and that is said.
    const other = join(home('ben'), 'other');
    const again = as('ben', 'relink', '--python', SYSTEM_PYTHON, '--out', other, '--module', 'json');
    expect(again).toMatchObject({status: 0});
    expect(existsSync(other)).toBe(true);
  });

  test('results of the other user need --trust-cache', () => {
    relink('ada');
    const out = join(home('ben'), 'third');
    const wary = as('ben', 'relink', '--python', SYSTEM_PYTHON, '--out', out, '--module', 'csv', '--force');
    expect(wary).toMatchObject({status: 0});
    const place = join(home('ben'), 'fresh-builds');
    const args = [
      'relink',
      '--python',
      SYSTEM_PYTHON,
      '--out',
      out,
      '--module',
      'textwrap',
      '--build-dir',
      place,
    ];
    const trusting = as('ben', ...args, '--trust-cache', '--json');
    expect(trusting).toMatchObject({status: 0});
    expect(trusting.text).toMatch(/"outcome":"cached"|"cached":[1-9]/);
  });

  const plants: Readonly<Record<string, (place: string) => void>> = {
    'a build directory of the other user'(place) {
      mkdirSync(place);
    },
    'a journal in it'(place) {
      writeFileSync(join(own(place), 'journal.jsonl'), '');
    },
    'a lock in it'(place) {
      mkdirSync(join(own(place), 'lock'));
    },
    'a link in place of the lock'(place) {
      symlinkSync(home('ben'), join(own(place), 'lock'));
    },
    'images in it'(place) {
      mkdirSync(join(own(place), 'images'));
    },
  };
  test.each(Object.entries(plants))('%s is refused, and nothing of the user is touched', (_, plant) => {
    const place = join(folder, `planted-${String(readdirSync(folder).length)}`);
    // What a lock would remove through the link.
    for (const name of ['1', '2']) writeFileSync(join(home('ben'), name), 'dear');
    plant(place);
    const made = spawnSync('find', [
      place,
      '-uid',
      '0',
      '-exec',
      'chown',
      '-h',
      `${USERS.ada}:${GROUP}`,
      '{}',
      '+',
    ]);
    expect(made.status).toBe(0);
    const done = relink('ben', '--build-dir', place);
    expect(done.status).toBe(2);
    expect(done.text).toContain('error[OUTPUT]');
    expect(done.text).toMatch(/belongs to the user 64001, who can decide what is built in it/);
    expect(['1', '2'].map((name) => readFileSync(join(home('ben'), name), 'utf8'))).toEqual(['dear', 'dear']);
  });

  test('a build directory that others may write to is reported', () => {
    const place = join(folder, 'open');
    mkdirSync(place);
    chownSync(place, USERS.ben, GROUP);
    chmodSync(place, 0o2775);
    const done = relink('ben', '--build-dir', place);
    expect(done).toMatchObject({status: 0});
    expect(done.text).toContain(`warning: other users may write to the build directory ${place}`);
    expect(relink('ben', '--build-dir', place, '--trust-cache').text).not.toContain('other users may write');
  });

  test('a forged result under the name of the user who is attacked does not come from the other one', () => {
    const {text} = relink('ben', '--build-dir', join(home('ben'), 'b2'));
    expect(text).not.toContain('error');
    const [entry] = spawnSync('find', [join(cache, 'ac'), '-type', 'f', '-uid', String(USERS.ben)], {
      encoding: 'utf8',
    }).stdout.split('\n');
    expect(entry).toBeTruthy();
    // An administrator's `chmod -R g+w` lets the group write what the user made.
    spawnSync('chmod', ['-R', 'g+w', cache]);
    const out = join(home('ben'), 'python');
    copyFileSync(out, `${out}.before`);
    const done = relink('ben', '--build-dir', join(home('ben'), 'b3'));
    expect(done).toMatchObject({status: 0});
    expect(done.text).toMatch(
      /has results (that other users may write to|of the user 64001), which are not used/,
    );
    const verified = as('ben', 'cache', 'verify');
    expect(verified.status).toBe(3);
  });
});

/** A build directory that the user made. */
function own(place: string): string {
  mkdirSync(place);
  chownSync(place, USERS.ben, GROUP);
  chmodSync(place, 0o777);
  return place;
}
