/** Sources that others may not read: their text stays out of uploads, of shared caches, and of what others may read. */
import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreeze} from '../../support/rig.js';
import {type CacheServer, startCacheServer} from '../support/cache-server.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);

const SYSTEM = '/usr/bin/python3';
const PYTHON = existsSync(SYSTEM) ? SYSTEM : (findPythons().at(-1)?.python ?? 'python3');
/** What each private text holds, and nothing else. */
const SECRETS = ['the-secret-of-the-file', 'the-secret-of-the-directory', 'the-secret-of-the-program'];
const PUBLIC = 'what-everybody-may-know';

const folder = temporaryDirectory('private-sources');
const app = join(folder, 'app');
let server: CacheServer;
beforeAll(async () => {
  server = await startCacheServer();
  chmodSync(folder, 0o755);
  mkdirSync(join(app, 'closed'), {recursive: true});
  const write = (name: string, text: string, mode = 0o644): void => {
    writeFileSync(join(app, name), text);
    chmodSync(join(app, name), mode);
  };
  write('of_file.py', `TEXT = '${SECRETS[0]}'\n`, 0o600);
  write('closed/of_directory.py', `TEXT = '${SECRETS[1]}'\n`);
  chmodSync(join(app, 'closed'), 0o700);
  write('settings', `TEXT = '${SECRETS[2]}'\ndef one(): return TEXT\n`, 0o600);
  write('public.py', `TEXT = '${PUBLIC}'\n`);
  write(
    'main.py',
    `import sys\nsys.path.append('${app}/closed')\nimport of_file, of_directory, public\n` +
      `exec(open('${app}/settings').read())\n`,
  );
});
afterAll(() => server.stop());

function shared(name: string): string {
  const cache = join(folder, name);
  mkdirSync(cache);
  chmodSync(cache, 0o777);
  return cache;
}

async function relink(name: string, cache: string, ...more: string[]): Promise<{text: string; out: string}> {
  const out = join(folder, `${name}-out`);
  const places = ['--out', out, '--build-dir', join(folder, `${name}-build`), '--cache-dir', cache];
  const args = ['relink', '--python', PYTHON, ...places, '--trace', join(app, 'main.py'), ...more];
  const done = await flashfreeze(args);
  if (done.exitCode !== 0) throw new Error(done.stderr);
  return {text: done.stdout + done.stderr, out};
}

const isIn = (content: Buffer): string[] => [...SECRETS, PUBLIC].filter((each) => content.includes(each));

/** Which of the texts lie in a directory, where others can read them. */
function readableIn(path: string): string[] {
  const found = new Set<string>();
  const look = (at: string): void => {
    const {mode} = statSync(at);
    if (statSync(at).isDirectory()) {
      if ((mode & 0o011) !== 0) for (const name of readdirSync(at)) look(join(at, name));
    } else if ((mode & 0o044) !== 0) for (const each of isIn(readFileSync(at))) found.add(each);
  };
  look(path);
  return [...found].sort();
}

const uploaded = (): string[] => [...new Set([...server.kept.values()].flatMap(isIn))].sort();

test('nothing of them is uploaded, shared or readable, and that is said; the rest is shared', async () => {
  const cache = shared('cache');
  const {text, out} = await relink('wary', cache, '--remote-cache', server.url, '--remote-upload');
  expect(uploaded()).toEqual([PUBLIC]);
  expect(readableIn(cache)).toEqual([PUBLIC]);
  expect(readableIn(join(folder, 'wary-build'))).toEqual([]);
  // It works, and only for this user.
  expect((statSync(out).mode & 0o777).toString(8)).toBe('700');
  expect(isIn(readFileSync(out))).toEqual([...SECRETS, PUBLIC]);
  expect(text).toMatch(/contains modules that other users may not read, so it gets the mode 0700/);
  expect(text).toMatch(
    /results of \d+ actions are made from files that other users may not read, and are not uploaded/,
  );
});

test('they are, when that is asked for', async () => {
  server.kept.clear();
  const cache = shared('other-cache');
  const more = ['--remote-cache', server.url, '--remote-upload', '--share-private'];
  const {text, out} = await relink('open', cache, ...more);
  expect(uploaded()).toEqual([...SECRETS, PUBLIC].sort());
  expect(readableIn(cache)).toEqual([...SECRETS, PUBLIC].sort());
  expect((statSync(out).mode & 0o777).toString(8)).toBe('755');
  expect(text).not.toContain('other users may not read');
});

test('without any of them, nothing is said', async () => {
  const out = join(folder, 'plain-out');
  const args = [
    'relink',
    '--python',
    PYTHON,
    '--out',
    out,
    '--cache-dir',
    shared('plain-cache'),
    '--module',
    'json',
  ];
  const done = await flashfreeze([...args, '--build-dir', join(folder, 'plain-build')]);
  expect(done.exitCode).toBe(0);
  expect(done.stdout + done.stderr).not.toContain('other users may not read');
  expect((statSync(out).mode & 0o777).toString(8)).toBe('755');
});
