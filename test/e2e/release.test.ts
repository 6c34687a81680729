/**
 * What is made from an installed Python is the same wherever it is made, and tells what it was made from; a signed release is
 * checked by the command line. Whole releases are built by `node test/release/run.mjs`.
 */
import {execFileSync} from 'node:child_process';
import {appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {clockWrappers, namespaceCommand} from '../../src/release/reproduction/conditions.js';
import {signFile} from '../../src/release/detached-signature.js';
import {findPythons} from '../../support/pythons.js';
import {makeRelease} from '../support/small-release.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';
import {flashfreeze, flashfreezeJson, PACKAGE, run} from '../../support/rig.js';

jest.setTimeout(10 * 60_000);
const PATH = process.env['PATH'] ?? '';
const signal = new AbortController().signal;
const folder = temporaryDirectory('reproduce');
const python = findPythons().at(-1)?.python ?? 'python3';
const app = join(folder, 'app');
beforeAll(() => {
  mkdirSync(app);
  writeFileSync(join(app, 'main.py'), 'import re, part\nprint(part.f({1, 2, 3}))\n');
  writeFileSync(
    join(app, 'part.py'),
    'import re\nWORD = re.compile("[a-z]+")\ndef f(x): return x & {1, "a", (2, 3.5)}\n',
  );
});

/** What has the looks of a source tree of CPython 3.11.2. */
function emptyTree(name: string): string {
  const source = join(folder, name);
  for (const [path, text] of [
    ['configure', ''],
    ['Makefile.pre.in', ''],
    ['Include/patchlevel.h', '#define PY_VERSION "3.11.2"\n'],
    ['Lib/os.py', ''],
    ['Programs/python.c', ''],
  ] as const) {
    mkdirSync(join(source, path, '..'), {recursive: true});
    writeFileSync(join(source, path), text);
  }
  return source;
}

/** Makes something in a directory of that name; `varied`: as another user, at another time, and so on. Gives the file with images. */
async function make(command: 'relink' | 'overlay', name: string, varied: boolean): Promise<string> {
  const place = join(folder, name);
  mkdirSync(place);
  const out = join(place, command === 'relink' ? 'python' : 'overlay');
  const environment = {
    PATH,
    HOME: place,
    TZ: varied ? 'Pacific/Kiritimati' : 'UTC',
    LC_ALL: varied ? 'C.UTF-8' : 'C',
  };
  const before = varied ? ((await namespaceCommand({environment, signal})) ?? []) : [];
  const clock = varied
    ? await clockWrappers(join(place, 'clock'), 400 * 86_400, {environment, signal})
    : undefined;
  const words = [
    ...[process.execPath, join(PACKAGE, 'bin/flashfreeze.mjs'), command, '--python', python, '--out', out],
    ...['--trace', join(app, 'main.py'), '--build-dir', join(place, 'build'), '--json'],
    ...['--cache-dir', join(place, 'cache'), '--jobs', varied ? '1' : '2'],
  ];
  const done = await run(
    'sh',
    ['-c', `umask ${varied ? '077' : '022'}; exec "$@"`, 'sh', ...before, ...words],
    {
      environment: {...environment, ...(clock === undefined ? {} : {PATH: `${clock}:${PATH}`})},
    },
  );
  expect(done).toMatchObject({exitCode: 0});
  if (command === 'relink') return out;
  const file = execFileSync('find', [out, '-name', '_flashfreeze.*.so']).toString().trim();
  expect(existsSync(file)).toBe(true);
  return file;
}

describe.each(['relink', 'overlay'] as const)('%s', (command) => {
  test('gives the same bytes in another directory, for another user, at another time, with other jobs', async () => {
    const one = await make(command, `${command}-a`, false);
    const other = await make(command, `${command}-another-and-longer`, true);
    expect(readFileSync(one).equals(readFileSync(other))).toBe(true);
    // Nor does it tell where flashfreeze lies.
    expect(readFileSync(one).includes(PACKAGE)).toBe(false);
  });
});

test('an interpreter reports its inputs and tools', async () => {
  const exe = join(folder, 'relink-a', 'python');
  const code = 'import _flashfreeze as f; print(f.info()["build"])';
  const {stdout} = await run(exe, ['-B', '-c', code]);
  const build = JSON.parse(stdout) as Record<string, unknown>;
  const digest = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(build).toEqual({
    flashfreeze: expect.stringMatching(/^\d+\.\d+/),
    python: expect.stringMatching(/^3\.\d+\.\d+/),
    host: 'relink',
    ...{generator: digest, interpreter: digest, headers: digest},
    compiler: {name: expect.stringMatching(/^(gcc|clang) \d/), digest},
    layout: expect.stringMatching(/^python3\.\d+\.h$/),
  });
  const {events} = await flashfreezeJson(['doctor', exe]);
  expect(events).toContainEqual(expect.objectContaining({type: 'build', build}));
  expect((await flashfreeze(['doctor', exe])).stdout).toContain(
    `  interpreter: ${String(build['interpreter'])}`,
  );
});

const hasKeys = PATH.split(':').some((each) => existsSync(join(each, 'ssh-keygen')));
describeWith(hasKeys, 'ssh-keygen')('a signed release', () => {
  test('is checked without a build, and changes are detected', async () => {
    const manifest = await makeRelease(join(folder, 'signed'), {'a.txt': 'text\n'});
    const [key, allowed] = [join(folder, 'key'), join(folder, 'allowed')];
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    writeFileSync(allowed, `us@example.org ${readFileSync(`${key}.pub`, 'utf8')}`);
    const verify = () => flashfreeze(['verify', manifest, '--allowed-signers', allowed]);
    expect(await verify()).toMatchObject({exitCode: 3, stderr: expect.stringMatching(/is not signed/)});
    expect(await signFile(manifest, key, {environment: {PATH}, signal})).toMatchObject({ok: true});
    expect(await verify()).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/signed by us@example.org/),
    });
    appendFileSync(join(folder, 'signed', 'release.tar.xz'), 'x');
    expect(await verify()).toMatchObject({
      exitCode: expect.not.stringMatching('0'),
      stderr: expect.stringMatching(/error\[(IO|VERIFY)\]/),
    });
    appendFileSync(manifest, '\n');
    expect(await verify()).toMatchObject({exitCode: 3, stderr: expect.stringMatching(/error\[VERIFY\]/)});
  });
});

test('a source tree of another CPython than the release is rejected before anything is built', async () => {
  const manifest = await makeRelease(join(folder, 'other'), {'a.txt': 'text\n'});
  const places = ['--source', emptyTree('tree'), '--build-dir', join(folder, 'never')];
  expect(await flashfreeze(['verify', manifest, ...places])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/error\[USAGE\]: .* is CPython 3\.11\.2, and release is 3\.13\.15\n/),
  });
  const dry = await flashfreeze(['verify', '--twice', '--dry-run', ...places]);
  expect(dry).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/error\[USAGE\].*\nhint: .*--dry-run/),
  });
  expect(existsSync(join(folder, 'never'))).toBe(false);
});

test('both builds of a verification get all options from it, and read no configuration file', async () => {
  const buildDir = join(folder, 'twice');
  mkdirSync(buildDir);
  writeFileSync(join(buildDir, 'flashfreeze.config.json'), 'not for this one');
  const words = ['--source', emptyTree('tree-of-two'), '--build-dir', buildDir, '--cc', '/no/such/compiler'];
  expect(await flashfreeze(['verify', '--twice', ...words])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/error\[NO_COMPILER\]: .*\/no\/such\/compiler/),
  });
});

test.each([
  [['--profile', 'a', '--record-profile', 'b'], 'cannot be combined'],
  [['--configure-arg=--enable-optimizations'], 'each build records another profile'],
  [['--configure-arg=--enable-shared'], 'links the interpreter statically'],
])('release %j is rejected before anything is built', async (words, reason) => {
  const places = ['--source', folder, '--out', join(folder, 'out'), '--build-dir', join(folder, 'never')];
  const done = await flashfreeze(['release', ...places, ...words]);
  expect(done).toMatchObject({exitCode: 2, stderr: expect.stringContaining(reason)});
  expect(existsSync(join(folder, 'never'))).toBe(false);
});
