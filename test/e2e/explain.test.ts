/** What is said of a real build, before it and after it: dry runs, explain, graph, trace and report. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {flashfreeze} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);
const folder = temporaryDirectory('explain');

const newest = findPythons().at(-1);
describeWith(newest, 'an installed Python')('a build that is looked at', () => {
  const python = newest?.python ?? '';
  const helper = join(folder, 'app', 'ff_helper.py');
  const places = ['--python', python, '--out', join(folder, 'python'), '--cache-dir', join(folder, 'cache')];
  const relink = (...more: string[]) =>
    flashfreeze(['relink', ...places, '--trace', join(folder, 'app', 'main.py'), ...more]);
  /** The lines of actions in a log, without their times. */
  const actions = (log: string): string[] =>
    log
      .split('\n')
      .filter((line) => /^\w+:\S+ {2}/.test(line))
      .map((line) => line.replace(/ \([^()]*\)$/, ''));

  beforeAll(async () => {
    mkdirSync(join(folder, 'app'));
    writeFileSync(join(folder, 'app', 'main.py'), 'import ff_helper\nprint(ff_helper.answer())\n');
    writeFileSync(helper, 'def answer():\n    return 1\n');
    const built = await relink('--trace-file', join(folder, 't.json'), '--report', join(folder, 'r.html'));
    expect(built).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('a dry run predicts the reasons of a run after an edit', async () => {
    writeFileSync(helper, 'def answer():\n    return 2\n');
    const dry = await relink('--dry-run');
    expect(dry.exitCode).toBe(5);
    const real = await relink();
    expect((await relink('--dry-run')).exitCode).toBe(0);
    const because = '; because path/ff_helper.py changed';
    expect(actions(real.stdout)).toEqual([
      'compile:ff_helper  input path/ff_helper.py changed',
      `generate:ff_helper  input compile:ff_helper changed${because}`,
      `link:python  input generate:ff_helper changed${because}`,
    ]);
    expect(actions(dry.stdout).map((line) => line.replace('may change', 'changed'))).toEqual(
      actions(real.stdout),
    );
    const {stdout} = await flashfreeze(['explain', 'generate:ff_helper', ...places]);
    expect(stdout).toBe(
      `generate:ff_helper ran: input compile:ff_helper changed${because}\n` +
        '  compile:ff_helper ran: input path/ff_helper.py changed\n',
    );
    const graph = await flashfreeze(['graph', 'json', '--module', 'ff_helper', ...places]);
    const {edges} = JSON.parse(graph.stdout) as {edges: {from: string; to: string}[]};
    expect(edges.map(({from, to}) => `${from} -> ${to}`).sort()).toEqual([
      'cc:_flashfreeze.probe -> index:layout',
      'compile:ff_helper -> generate:ff_helper',
      'generate:ff_helper -> link:python',
      'index:layout -> generate:ff_helper',
      'index:probe -> cc:_flashfreeze.probe',
    ]);
  });

  test('writes a trace and a report of everything that ran', () => {
    const {traceEvents} = JSON.parse(readFileSync(join(folder, 't.json'), 'utf8')) as {
      traceEvents: {ph: string; name: string; cat?: string}[];
    };
    const kinds = new Set(traceEvents.filter(({ph}) => ph === 'X').map(({cat}) => cat));
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        'run',
        'stage',
        'look-up',
        'compile,executed',
        'generate,executed',
        'link,executed',
      ]),
    );
    expect(readFileSync(join(folder, 'r.html'), 'utf8')).toContain('<td>ff_helper</td>');
  });
});
