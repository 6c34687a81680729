/** `flashfreeze try`: programs as users start them, and what cannot be measured. */
import {chmodSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {SNAPSHOT_SERIES} from '../../src/hosts/snapshot/snapshot-series.js';
import {findPythons} from '../../support/pythons.js';
import {QUICKLY, prepareTree} from '../../support/cpython-trees.js';
import {flashfreeze, flashfreezeJson, run, withoutUsersVariables} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {testWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);
const directory = temporaryDirectory('try');
const python = findPythons().at(-1)?.python ?? 'python3';
const environment = {PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`};

function script(name: string, body: string, interpreter = python): void {
  writeFileSync(join(directory, 'bin', name), `#!${interpreter}\n${body}`);
  chmodSync(join(directory, 'bin', name), 0o755);
}

const MAIN = `
import argparse, sys
import program_part
parser = argparse.ArgumentParser()
parser.add_argument('--name', default='nobody')
print(program_part.greet(parser.parse_args().name), sys.prefix, sys.executable, __file__)
`;

beforeAll(async () => {
  mkdirSync(join(directory, 'bin'));
  writeFileSync(join(directory, 'bin', 'program_part.py'), 'def greet(name):\n    return f"hello {name}"\n');
  script('program', MAIN);
  const made = await run(python, ['-m', 'venv', '--without-pip', join(directory, 'venv')]);
  if (made.exitCode !== 0) throw new Error(made.stderr);
  script('in-venv', MAIN, join(directory, 'venv', 'bin', 'python'));
});

const attempt = (command: string) => flashfreezeJson(['try', command], {environment, cwd: directory});

test('a program on PATH: every condition, memory, and how to keep it', async () => {
  const before = readdirSync(join(directory, 'bin'));
  const {events, summary, exitCode} = await attempt("program --name 'you and me'");
  expect([exitCode, summary.ok]).toEqual([0, true]);
  const [trial] = events.filter(({type}) => type === 'trial');
  const rows = trial?.['rows'] as {condition: string; wall: number; original: {median: number}}[];
  // Where nothing leaves the page cache, there is no cold start.
  expect(rows.map(({condition}) => condition)).toEqual(expect.arrayContaining(['warm', 'no-bytecode']));
  expect(rows.every(({wall, original}) => wall > 0 && original.median > 0)).toBe(true);
  expect(trial).toMatchObject({method: expect.stringMatching(/link|graft/), modules: summary.modules});
  expect(summary.modules).toBeGreaterThan(20);
  // The bytecode of the program's modules went elsewhere.
  expect(readdirSync(join(directory, 'bin'))).toEqual(before);

  const [tool = '', ...words] = trial?.['permanent'] as string[];
  expect(tool).toBe('flashfreeze');
  expect(await flashfreeze(words, {cwd: directory})).toMatchObject({exitCode: 0});
  const [frozen = '', ...args] = trial?.['start'] as string[];
  expect((await run(frozen, args, {cwd: directory})).stdout).toMatch(/^hello you and me /);
});

test('a program of a virtual environment stays in it', async () => {
  const {summary, stdout} = await attempt('in-venv');
  expect(summary.ok).toBe(true);
  expect(stdout).toContain(join(directory, 'venv', 'bin', 'in-venv-frozen'));
});

test('for people: a table', async () => {
  const {stdout} = await flashfreeze(['try', 'program'], {environment, cwd: directory});
  const [head, columns, ...rows] = stdout.split('\n');
  expect(head).toMatch(
    /^program: Python 3\.\d+\.\d+, (relinked|grafted), \d+ frozen modules; it prints the same$/,
  );
  expect(columns).toMatch(/^ +as it is +frozen +\+- +left$/);
  expect(rows[0]).toMatch(/^with \.pyc files( +[\d.]+ ms){3} +[\d.]+ %$/);
});

describe('a snapshot', () => {
  const withSource = async (command: string) => {
    const {source, buildDir} = await prepareTree('3.13.15');
    const from = ['--source', source, '--build-dir', `${buildDir}-snapshot`, `--configure-arg=${QUICKLY}`];
    const own = {
      ...withoutUsersVariables(),
      ...environment,
      HOME: directory,
      LANG: 'C.UTF-8',
      LC_ALL: undefined,
    };
    const {events, stdout} = await flashfreezeJson(['try', command, ...from], {
      environment: own,
      cwd: directory,
    });
    return {trial: events.find(({type}) => type === 'trial'), stdout};
  };

  test('is a column, where a source tree is given', async () => {
    script('tool', 'import json, argparse\nprint(json.dumps([1, 2]))\n');
    const {trial} = await withSource('tool');
    expect(trial).toMatchObject({
      snapshot: {
        ...{state: 'measured', python: '3.13.15', start: {median: expect.any(Number)}},
        permanent: expect.arrayContaining([
          'snapshot',
          '--entry',
          join(directory, 'bin', 'tool'),
          './tool-snapshot',
        ]),
        command: ['./tool-snapshot'],
      },
    });
  });

  test.each([
    [`${python} -B -c 1`, /^the interpreter has options: -B$/],
    [`${python} -c "import sys; print(sys.executable)"`, /^the program prints something else with it: /],
  ])('says why there is none of %s', async (command, reason) => {
    const {trial} = await withSource(command);
    expect(trial).toMatchObject({snapshot: {state: 'none', reason: expect.stringMatching(reason)}});
  });

  test('is not tried unless it is asked for', async () => {
    const {events} = await attempt(`${python} -c 1`);
    expect(events.find(({type}) => type === 'trial')).toMatchObject({
      snapshot: {state: 'none', reason: expect.stringMatching(/--snapshot tries it|--source DIR tries one/)},
    });
  });

  const linkable = findPythons().find(({series}) => SNAPSHOT_SERIES.includes(series));
  testWith(linkable, `a Python ${SNAPSHOT_SERIES.join(' or ')}`)('of the installed Python', async () => {
    const installed = linkable?.python ?? '';
    script('counting', 'import json\nprint(json.dumps([1, 2]))\n', installed);
    const own = {...withoutUsersVariables(), ...environment, HOME: directory};
    const {events} = await flashfreezeJson(['try', 'counting', '--snapshot'], {
      environment: own,
      cwd: directory,
    });
    expect(events.find(({type}) => type === 'trial')).toMatchObject({
      method: 'link',
      snapshot: {
        state: 'measured',
        permanent: expect.arrayContaining(['snapshot', '--python', installed]),
      },
    });
  });
});

describe('said, not measured', () => {
  test.each([
    ['fails', "import sys\nsys.exit('no terminal')\n", 'BENCH', /exit code 1/],
    ['prints another thing each time', 'import time\nprint(time.time_ns())\n', 'BENCH', /each time: line 1/],
    ['reads what nobody types', 'input()\n', 'BENCH', /exit code 1/],
  ])('a program that %s', async (_, body, code, message) => {
    script('odd', body);
    const {events, exitCode} = await attempt('odd');
    expect(exitCode).toBe(1);
    expect(events.find(({type}) => type === 'error')).toMatchObject({
      failure: {code, message: expect.stringMatching(message)},
    });
  });

  test('a program that tells whether it is frozen', async () => {
    script(
      'curious',
      "import sys\nprint('_flashfreeze' in sys.builtin_module_names or '_flashfreeze' in sys.modules)\n",
    );
    const {events} = await attempt('curious');
    expect(events.find(({type}) => type === 'error')).toMatchObject({
      failure: {
        code: 'VERIFY',
        message: expect.stringMatching(/when it is frozen: line 1 of stdout: "False" and "True"/),
      },
    });
  });

  test('a command without quotes', async () => {
    const {exitCode, stderr} = await flashfreeze(['try', 'hg', 'version'], {environment});
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/unexpected argument version\nhint: quote it.*: flashfreeze try 'hg version'\n$/);
  });

  test.each([
    ['ls', 'USAGE'],
    ['no-such-program', 'NO_TOOL'],
    ["'", 'USAGE'],
    ['python3', 'USAGE'],
  ])('%s', async (command, code) => {
    const {events} = await attempt(command);
    expect(events.find(({type}) => type === 'error')).toMatchObject({failure: {code}});
  });
});
