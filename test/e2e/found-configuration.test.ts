/** A configuration that was found, not given: a dry run runs nothing of it. */
import {chmodSync, existsSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, beforeEach, expect, jest, test} from '@jest/globals';
import {COMMANDS} from '../../src/cli/commands.js';
import {findPythons} from '../../support/pythons.js';
import {flashfreeze} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);

const folder = temporaryDirectory('found');
const project = join(folder, 'project');
const marker = join(folder, 'was-here');
const PYTHON = findPythons().at(-1)?.python ?? 'python3';

beforeAll(() => {
  mkdirSync(join(project, 'source/Programs'), {recursive: true});
  const script = (name: string): string => {
    const path = join(project, name);
    mkdirSync(join(path, '..'), {recursive: true});
    writeFileSync(path, `#!/bin/sh\necho ${name} >>${marker}\nexit 1\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const run = `-c "open('${marker}', 'w').write('trace')"`;
  const config = {
    python: script('python'),
    cc: script('compiler'),
    out: script('frozen'),
    source: join(project, 'source'),
    buildDir: join(project, 'build'),
    trace: [run],
    command: [run],
    exec: `echo exec >>${marker}`,
    cacheDir: join(folder, 'cache'),
  };
  script('source/configure');
  writeFileSync(join(project, 'flashfreeze.config.json'), JSON.stringify(config));
});
beforeEach(() => {
  rmSync(marker, {force: true});
});

const dryRun = (...args: string[]): ReturnType<typeof flashfreeze> =>
  flashfreeze([...args, '--dry-run'], {cwd: project, environment: {HOME: folder}});

test.each(Object.keys(COMMANDS).filter((name) => name !== 'demo'))('%s', async (command) => {
  const words: Readonly<Record<string, string[]>> = {
    cache: ['stats'],
    completion: ['bash'],
    doctor: [PYTHON],
    verify: ['--images', PYTHON],
  };
  await dryRun(command, ...(words[command] ?? []));
  expect(existsSync(marker)).toBe(false);
});

test.each(['relink', 'overlay', 'discover'])('%s of a Python that was given, twice', async (command) => {
  const out = command === 'discover' ? [] : ['--out', join(folder, `${command}-out`)];
  const args = [command, '--python', PYTHON, ...out, '--build-dir', join(folder, `${command}-build`)];
  expect(
    (await flashfreeze([...args, '--module', 'json', '--cc', 'cc', '--config', emptyConfig()])).exitCode,
  ).toBe(0);
  const {stdout, stderr} = await dryRun(...args, '--cc', 'cc');
  expect(stdout + stderr).toContain('using the configuration file');
  expect(existsSync(marker)).toBe(false);
});

test('without --dry-run, it is used, which is what the test above tells apart', async () => {
  const out = join(folder, 'used');
  const args = [
    'relink',
    '--python',
    PYTHON,
    '--out',
    out,
    '--cc',
    'cc',
    '--build-dir',
    join(folder, 'used-build'),
  ];
  await flashfreeze(args, {cwd: project, environment: {HOME: folder}});
  expect(existsSync(marker)).toBe(true);
});

function emptyConfig(): string {
  const path = join(folder, 'empty.json');
  writeFileSync(path, '{}');
  return path;
}
