/** Secrets that a run is given: nothing that it writes repeats them. */
import {lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreeze} from '../../support/rig.js';
import {type CacheServer, startCacheServer} from '../support/cache-server.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);

const PASSWORD = 'the p@ssword/of the cache';
const KEY = 'the-secret-key-of-the-team-of-many-bytes';
const TOKEN = 'the-token-of-the-traced-program';
/** Each secret in all forms in which it is passed on. */
const FORMS = [PASSWORD, KEY, TOKEN, `user:${PASSWORD}`].flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  ...(['base64', 'base64url', 'hex'] as const).map((encoding) => Buffer.from(secret).toString(encoding)),
]);

const folder = temporaryDirectory('secrets');
const keys = temporaryDirectory('secrets-keys');
const at = (name: string): string => join(folder, name);
let server: CacheServer;
let url: string;
beforeAll(async () => {
  server = await startCacheServer();
  url = server.url.replace('//', `//user:${encodeURIComponent(PASSWORD)}@`);
  writeFileSync(join(keys, 'key'), KEY, {mode: 0o600});
  writeFileSync(at('main.py'), 'import os, json\nos.environ["API_TOKEN"]\njson.dumps(1)\n');
});
beforeEach(() => {
  server.mischief = undefined;
  server.headers.length = 0;
});
afterAll(() => server.stop());

/** Which secrets a text holds. */
const secretsIn = (text: string): string[] => FORMS.filter((form) => text.includes(form));

/** Every file below the directory of the test that holds a secret. */
function leaks(path = folder): string[] {
  if (lstatSync(path).isDirectory()) return readdirSync(path).flatMap((name) => leaks(join(path, name)));
  return statSync(path).isFile()
    ? secretsIn(readFileSync(path, 'latin1')).map((form) => `${path}: ${form}`)
    : [];
}

const PYTHON = findPythons().at(-1)?.python ?? 'python3';

async function run(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<number | null> {
  const own = {API_TOKEN: TOKEN, XDG_CACHE_HOME: at('cache'), ...environment};
  const done = await flashfreeze(args, {environment: own, cwd: folder});
  expect([args[0], secretsIn(done.stdout + done.stderr)]).toEqual([args[0], []]);
  expect([args[0], leaks()]).toEqual([args[0], []]);
  return done.exitCode;
}

let count = 0;
function relink(...more: readonly string[]): string[] {
  count += 1;
  const places = [
    '--out',
    at(`python${count}`),
    '--build-dir',
    at(`build${count}`),
    '--cache-dir',
    at(`store${count}`),
  ];
  return ['relink', '--python', PYTHON, ...places, '--trace', at('main.py'), '--remote-cache', url, ...more];
}

test('a build with a password, a key in a file and a variable of the program, in every form of report', async () => {
  const reports = ['--report', at('page.html'), '--trace-file', at('trace.json'), '--json', '--verbose'];
  const key = ['--remote-key', join(keys, 'key')];
  expect(await run(relink('--remote-upload', ...key, ...reports))).toBe(0);
  // It was really sent.
  const sent = server.headers.find(({authorization}) => authorization !== undefined);
  expect(sent?.authorization).toBe(`Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`);
  expect(server.kept.size).toBeGreaterThan(0);
  expect([...server.kept.values()].flatMap((each) => secretsIn(each.toString('latin1')))).toEqual([]);
});

test('a build with a key in the environment, its repetition, and what explains it', async () => {
  const args = relink();
  const environment = {FLASHFREEZE_CACHE_KEY: KEY};
  for (let time = 0; time < 2; time += 1) expect(await run(args, environment)).toBe(0);
  const buildDir = ['--build-dir', at(`build${count}`)];
  for (const more of [['explain'], ['explain', '--json'], ['explain', 'discover:modules'], ['graph', 'json']])
    expect(await run([...more, ...buildDir, '--remote-cache', url], environment)).toBe(0);
  const memos = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((name) =>
    /fresh\/\w+$/.test(name),
  );
  expect(memos.length).toBeGreaterThan(0);
  for (const name of memos) expect((statSync(at(name)).mode & 0o777).toString(8)).toBe('600');
});

test.each<[string, CacheServer['mischief']]>([
  [
    'an error',
    (_, response) => Boolean(response.writeHead(500, PASSWORD.replaceAll(/\W/g, '')).end(PASSWORD)),
  ],
  ['a redirect that has them', (_, response) => Boolean(response.writeHead(302, {location: url}).end(url))],
  ['what it was sent', (_, response) => Boolean(response.end(server.headers.at(-1)?.authorization))],
])('a server that answers with %s', async (_, mischief) => {
  server.mischief = mischief;
  expect(await run(relink('--report', at('page.html'), '--verbose'))).toBe(0);
});

test('command lines and configurations with mistakes', async () => {
  const wrong = [
    ['relink', url],
    ['relink', `--remote-cach=${url}`],
    ['relink', '--jobs', url],
    ['relink', '--method', url],
    ['cache', url],
    ['cache', 'stats', url],
    [url],
    ['completion', url],
    ['step', url],
    ['build', '--config', url],
    ['verify', url],
    ['doctor', url],
    ['explain', url, '--build-dir', folder],
    ['cache', 'stats', '--remote-cache', `${url}?query`],
    ['cache', 'stats', '--remote-cache', url.replace('http:', 'ftp:')],
    ['cache', 'stats', '--remote-cache', url.replace('http:', '')],
    ['cache', 'stats', '--remote-cache', url.replace(encodeURIComponent(PASSWORD), PASSWORD)],
    ['cache', 'stats', '--remote-cache', url, '--remote-key', url],
  ];
  for (const args of wrong) for (const form of [[], ['--json']]) await run([...args, ...form]);
  mkdirSync(join(keys, 'configurations'));
  for (const [i, text] of [
    JSON.stringify({remoteCach: url}),
    JSON.stringify({remoteCache: [url]}),
    JSON.stringify({jobs: url}),
    `{"remoteCache": "${url}" "jobs": 1}`,
    `{"remoteCache": "${url}`,
  ].entries()) {
    const path = join(keys, 'configurations', String(i));
    writeFileSync(path, text, {mode: 0o600});
    expect(await run(['cache', 'stats', '--config', path])).toBe(2);
  }
  for (const key of [
    'short',
    `ssh-ed25519 AAAA${KEY}`,
    `-----BEGIN PRIVATE KEY-----\n${KEY}\n-----END PRIVATE KEY-----`,
  ])
    expect(await run(relink(), {FLASHFREEZE_CACHE_KEY: key})).toBe(2);
});
