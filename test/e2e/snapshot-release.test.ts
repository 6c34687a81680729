/** The snapshot of a release: the same bytes from trees in other surroundings, used where the release is unpacked for. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import type {HostContext} from '../../src/pipeline/build-options.js';
import type {Site} from '../../src/pipeline/host.js';
import {addReleaseSnapshot} from '../../src/release/release-snapshot.js';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-release');
/** Where the release is unpacked. */
const at = join(folder, 'opt', 'py thon');
const MODULES = ['asyncio', 'logging', 'argparse', 'json', 'random', 'tempfile'];
const CODE = `import asyncio, sys; print(sys.prefix); ${STATE}`;
let rig: SnapshotRig;

/** What no build may change. */
const machine = (): unknown => ({
  mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
  isDevice: statSync('/dev/null').isCharacterDevice(),
});

/** An installation with a snapshot; returns its root. */
async function install(name: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, name);
  const tree = join(root, 'tree');
  const library = join(tree, 'lib', 'python3.13');
  for (const each of [join(root, 'work'), join(tree, 'bin')]) mkdirSync(each, {recursive: true});
  copyFileSync(join(rig.buildDir, 'cpython', 'python-frozen'), join(tree, 'bin', 'python3.13'));
  symlinkSync('python3.13', join(tree, 'bin', 'python3'));
  cpSync(join(rig.source, 'Lib'), library, {
    recursive: true,
    filter: (path) => !/\/(__pycache__|test|idlelib)$/.test(path),
  });
  mkdirSync(join(library, 'lib-dynload'));
  writeFileSync(join(library, 'lib-dynload', '.keep'), '');
  mkdirSync(join(tree, 'share', name), {recursive: true});
  const plan = {imports: MODULES};
  const context = {
    signal: new AbortController().signal,
    cwd: root,
    events: {emit: () => undefined},
  } as unknown as HostContext;
  const made = await addReleaseSnapshot({tree, python: join(tree, 'bin', 'python3.13'), at, plan, root}, {
    environment: {PATH: process.env['PATH'] ?? '', ...environment},
    context,
  } as unknown as Site);
  if (!made.ok) throw new Error(JSON.stringify(made.failure));
  // OpenSSL reads the configuration of the machine: what it says belongs to where the release is used.
  const reason = 'it reads /usr/lib/ssl/openssl.cnf, which is not a file of the release';
  expect(made.value).toMatchObject({isPortable: true, leftOut: [{module: 'ssl', reason}]});
  // What asyncio imports besides ssl is kept.
  expect(made.value.modules).toEqual(
    expect.arrayContaining([...MODULES.filter((module) => module !== 'asyncio'), 'selectors']),
  );
  for (const out of ['asyncio', 'ssl']) expect(made.value.modules).not.toContain(out);
  return tree;
}

beforeAll(async () => {
  rig = await snapshotRig(folder);
  const {summary, stderr} = await rig.build('--trace', '-c "import asyncio, logging, argparse"');
  if (!summary.ok) throw new Error(stderr);
});

test('is the same in each, leaves the machine as it was, and is used at its place', async () => {
  const before = machine();
  const one = await install('one', {});
  const other = await install('the other one', {SECRET: 'x'.repeat(5000), TZ: 'Asia/Kathmandu', LANG: 'C'});
  expect(machine()).toEqual(before);
  const [first, second] = [one, other].map((tree) => readFileSync(join(tree, 'bin', 'python3.13')));
  expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);

  const elsewhere = await rig.start(join(other, 'bin', 'python3'), ['-c', CODE]);
  expect(elsewhere).toMatchObject({exitCode: 0, stderr: ''});
  expect(elsewhere.stdout).not.toMatch(/restored/);
  mkdirSync(join(folder, 'opt'));
  renameSync(one, at);
  const python = join(at, 'bin', 'python3');
  const home = {environment: {HOME: join(folder, 'opt')}};
  expect(await rig.start(python, ['-c', CODE], home)).toMatchObject({
    stderr: '',
    stdout: `${at}\nrestored\n`,
  });
  // The home of the rig has a directory of packages.
  expect(await rig.start(python, ['-c', CODE])).toMatchObject({
    stdout: `${at}\nthe user has packages of their own\n`,
  });
});
