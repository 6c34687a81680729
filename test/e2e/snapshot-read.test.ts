/** What imports looked at is what a snapshot is good for: each start compares it. */
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import type {Run, run} from '../../support/rig.js';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-read');
let rig: SnapshotRig;
let packages: string;
let out: string;
let unmodified: string;
const build: SnapshotRig['build'] = (...words) => rig.build(...words);
const start: SnapshotRig['start'] = (...of) => rig.start(...of);
const stateOf: SnapshotRig['stateOf'] = (...of) => rig.stateOf(...of);

beforeAll(async () => {
  rig = await snapshotRig(folder);
  ({packages, out, unmodified} = rig);
});

test('where a module would have been found earlier, the start is an ordinary one', async () => {
  const place = join(folder, 'place');
  mkdirSync(join(place, 'bin'), {recursive: true});
  writeFileSync(join(place, 'tool.py'), `import argparse; print(argparse.__file__)\n${STATE}`);
  writeFileSync(
    join(packages, 'looks.py'),
    'import importlib.metadata as m\nfound = sorted({each.metadata["Name"] for each in m.distributions()})\n',
  );
  const {summary, stderr} = await build(
    '--startup',
    '--module',
    'argparse',
    '--module',
    'looks',
    '--trace',
    '-m json.tool --help',
  );
  if (!summary.ok) throw new Error(stderr);
  expect(stderr).not.toContain('left out');
  const here = {cwd: place};
  const words = ['-c', `import argparse, looks; print(looks.found)\n${STATE}`];
  expect(await stateOf(out, ['tool.py'], here)).toMatch(/restored$/);
  expect(await stateOf(out, words, here)).toMatch(/restored$/);
  // The module that -m runs is not imported before.
  expect(await start(out, ['-m', 'json.tool', '--help'], here)).toEqual(
    await start(unmodified, ['-m', 'json.tool', '--help'], here),
  );
  const differs = /\nthe first entry of sys\.path has a module or metadata/;
  const both = async (): Promise<void> => {
    for (const args of [['tool.py'], [join(place, 'tool.py')], words]) {
      const expected = await start(
        unmodified,
        args.map((each) => each.replace(STATE, 'pass')),
        here,
      );
      const said = await stateOf(out, args, here);
      expect(said).toMatch(differs);
      if (!args[0]?.endsWith('tool.py')) expect(said.split('\n')[0]).toBe(expected.stdout.trim());
    }
  };
  writeFileSync(join(place, 'argparse.py'), '');
  await both();
  rmSync(join(place, 'argparse.py'));
  mkdirSync(join(place, 'argparse'));
  expect(await stateOf(out, ['tool.py'], here)).toMatch(/restored$/);
  writeFileSync(join(place, 'argparse', '__init__.py'), '');
  await both();
  rmSync(join(place, 'argparse'), {recursive: true});
  mkdirSync(join(place, 'own-1.dist-info'));
  writeFileSync(join(place, 'own-1.dist-info', 'METADATA'), 'Metadata-Version: 2.1\nName: own\nVersion: 1\n');
  await both();
  // From anywhere else it is as before, and a module that is in the snapshot may lie in the first entry.
  expect(await stateOf(out, words)).toMatch(/restored$/);
  expect(await stateOf(out, words, {cwd: packages})).toMatch(/restored$/);
});

describe('what imports read', () => {
  const SOURCE = `import os
cwd, cpus, host, is_terminal = os.getcwd(), os.cpu_count(), os.uname().nodename, os.isatty(0)
text = open(os.path.join(os.path.dirname(__file__), 'read.txt')).read()
names = os.listdir(os.path.join(os.path.dirname(__file__), 'listed'))
is_there = os.path.exists(os.path.join(os.path.dirname(__file__), 'examined', 'file'))
language = os.environ.get('LANGUAGE')
import urllib.request
proxies = urllib.request.getproxies()
`;
  const PRINT =
    'import reader as r; print(r.cwd, r.cpus, r.host, r.is_terminal, r.text, r.names, r.is_there, r.language, r.proxies)';
  /** What a start prints, and what the snapshot was good for. */
  const both = async (
    options: Parameters<typeof run>[2] = {},
    wrap: readonly string[] = [],
  ): Promise<string> => {
    const inside = (python: string, code: string): Promise<Run> => {
      const [file, ...args] = wrap;
      const words = [python, '-c', code];
      return file === undefined
        ? start(python, words.slice(1), options)
        : start(file, [...args, ...words], options);
    };
    const done = await inside(out, `${PRINT}; ${STATE}`);
    const expected = await inside(unmodified, PRINT);
    const lines = done.stdout.trimEnd().split('\n');
    expect(lines.slice(0, -1).join('\n')).toBe(expected.stdout.trimEnd());
    return lines.at(-1) ?? '';
  };

  test('is compared at each start', async () => {
    for (const name of ['listed', 'examined']) mkdirSync(join(packages, name), {recursive: true});
    writeFileSync(join(packages, 'read.txt'), 'one');
    writeFileSync(join(packages, 'reader.py'), SOURCE);
    const {summary, stderr} = await build('--module', 'reader');
    if (!summary.ok) throw new Error(stderr);
    expect(stderr).not.toContain('left out');
    expect(await both()).toBe('restored');
    expect(await both({cwd: packages})).toBe('imports read the working directory, which is another one');
    expect(await both({environment: {LANGUAGE: 'de'}})).toBe(
      'an environment variable that imports read has another value',
    );
    expect(await both({environment: {SOME_PROXY: 'http://localhost:9'}})).toBe(
      'imports read the variables of proxies, which have other values',
    );
    expect(await both({}, ['taskset', '-c', '0'])).toBe(
      'imports read the number of processors, which is another one',
    );
    writeFileSync(join(packages, 'examined', 'other'), '');
    expect(await both()).toBe('restored');
    writeFileSync(join(packages, 'examined', 'file'), '');
    expect(await both()).toBe('a file that imports read has changed');
    rmSync(join(packages, 'examined', 'file'));
    writeFileSync(join(packages, 'listed', 'more'), '');
    expect(await both()).toBe('a file that imports read has changed');
    rmSync(join(packages, 'listed', 'more'));
    writeFileSync(join(packages, 'read.txt'), 'two');
    expect(await both()).toBe('a file that imports read has changed');
  });
});
