/** What is shown in `examples/` works as it stands there. */
import {cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../support/pythons.js';
import {CACHE, PACKAGE, prepareTree, run} from './rig.js';

jest.setTimeout(30 * 60_000);
const folder = mkdtempSync(join(tmpdir(), 'flashfreeze-examples-'));
const bin = join(folder, 'bin');

beforeAll(() => {
  cpSync(join(PACKAGE, 'examples'), join(folder, 'examples'), {recursive: true});
  mkdirSync(bin);
  symlinkSync(join(PACKAGE, 'bin', 'flashfreeze.mjs'), join(bin, 'flashfreeze'));
});
afterAll(() => {
  rmSync(folder, {recursive: true, force: true});
});

/** The lines that an example prints on standard output, without those of flashfreeze itself. */
async function example(name: string, environment: Readonly<Record<string, string>>): Promise<string[]> {
  const own = Object.keys(process.env).filter((each) => /^(PYTHON|FLASHFREEZE)/.test(each));
  const done = await run('/bin/sh', [join(folder, 'examples', name, 'run.sh')], {
    environment: {
      ...Object.fromEntries(own.map((each) => [each, undefined])),
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      FLASHFREEZE_CACHE_DIR: join(CACHE, 'store'),
      ...environment,
    },
  });
  if (done.exitCode !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
  return done.stdout
    .split('\n')
    .filter((line) => line !== '' && !/^[a-z]+:\S+ {2}|^3\.\d+\.\d+, \d+ modules:/.test(line));
}

/** The newest Python of this machine. */
const newest = (): string => findPythons().at(-1)?.python ?? 'python3';

test('a command-line tool, frozen whole', async () => {
  const build = join(folder, 'tool');
  expect(await example('command-line-tool', {PYTHON: newest(), BUILD: build})).toEqual([
    'Ulm: 130 visitors a year',
    'Jena: 87.5 visitors a year',
    expect.stringMatching(/^\[\{"city": "Ulm", .*\}\]$/),
    '| city,year,visitors',
    '| Ulm,2023,120',
    '| Ulm,2024,140',
    '| Jena,2023,80',
    '| Jena,2024,95',
    'frozen: True',
  ]);
});

test('a service in a virtual environment', async () => {
  const served = ['INFO answered /here?a=1', 'INFO got {"path": "/here", "query": {"a": "1"}}'];
  const lines = await example('service-in-a-venv', {PYTHON: newest(), BUILD: join(folder, 'service')});
  expect(lines).toEqual([...served, 'frozen: True', ...served]);
});

test('the standard library under edit', async () => {
  const tree = await prepareTree('3.13.15');
  tree.restore();
  // A store of its own: another run of this test may have left these very edits in the shared one.
  const lines = await example('library-under-edit', {
    SOURCE: tree.source,
    BUILD: tree.buildDir,
    FLASHFREEZE_CACHE_DIR: join(folder, 'store'),
  });
  expect(lines).toEqual([
    'no edit: executed: ',
    '[1] unchanged',
    expect.stringMatching(
      /^one statement: executed: "compile:json\.decoder","generate:json\.decoder","cc:json\.decoder",.*"link:python"$/,
    ),
    '[1] edited',
    expect.stringMatching(/^a comment: executed: "compile:json\.decoder"(,"link:stamps")?$/),
  ]);
});
