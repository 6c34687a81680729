/** What is shown in `examples/` works as it stands there. */
import {join} from 'node:path';
import {expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {exampleRunner} from './example-runner.js';

jest.setTimeout(30 * 60_000);
const folder = temporaryDirectory('examples');
const example = exampleRunner(folder);

/** The newest Python of this machine. */
const newest = (): string => findPythons().at(-1)?.python ?? 'python3';

test('a command-line tool with all its modules frozen', async () => {
  const build = join(folder, 'tool');
  const lines = await example('command-line-tool', {PYTHON: newest(), BUILD: build});
  // Depends on where the checkout lies.
  const isNote = (line: string): boolean => line.includes('contains modules that other users may not read');
  expect(lines.filter((line) => !isNote(line))).toEqual([
    expect.stringMatching(/^using the configuration file .*command-line-tool\/flashfreeze.config.json$/),
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
