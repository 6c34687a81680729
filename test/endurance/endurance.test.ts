/** The short form of what `node test/endurance/run.mjs` does for long: on a small program instead of the standard library. */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {JOURNAL} from '../../src/engine/records/journal.js';
import {statFile} from '../../src/fs/path-state.js';
import {type SummaryEvent, flashfreezeJson} from '../../support/rig.js';
import {eventually} from '../support/processes.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {randomEdits} from './edits.js';
import {killRuns} from './kill.js';
import {buildSite, commandOf, edit, pathOf, smallSite, type Site} from './site.js';

jest.setTimeout(10 * 60_000);

let folder: string;
let site: Site;
beforeAll(() => {
  folder = temporaryDirectory('endurance');
  site = smallSite(folder);
});
const say = (): void => undefined;

test('after a kill at a random moment, one run gives the bytes of a clean build', async () => {
  const report = await killRuns(site, {runs: 5, seed: 5, say});
  expect(report).toMatchObject({runs: 5, wrong: []});
  expect(report.killed).toBeGreaterThan(0);
});

describe('actions executed', () => {
  const [module = ''] = smallModules();
  beforeAll(async () => {
    edit(site, module, 'before');
    await buildSite(site);
  });

  test('an edit: those of its module and the link', async () => {
    edit(site, module, 'after');
    const {summary} = await buildSite(site);
    expect(summary.executed).toEqual([`compile:${module}`, `generate:${module}`, 'link:python']);
  });

  test('a comment at the end of a line: the compilation to bytecode', async () => {
    const file = join(site.library, pathOf(module));
    writeFileSync(file, readFileSync(file, 'utf8').replace(/return .*/, '$&  # a comment'));
    expect((await buildSite(site)).summary.executed).toEqual([`compile:${module}`]);
  });

  function smallModules(): readonly string[] {
    return ['one_0'];
  }
});

describe('the memo of a run that had nothing to do', () => {
  const memos = (): readonly string[] => {
    try {
      return readdirSync(join(site.cacheDir, 'fresh')).map((name) => join(site.cacheDir, 'fresh', name));
    } catch {
      return [];
    }
  };
  const [marker, cwd] = ['from the memo', '/'];
  const run = async (
    more: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<SummaryEvent> =>
    (await flashfreezeJson([...commandOf(site), ...more], {cwd, environment})).summary;

  /** Makes the memo report something that no run would report. */
  function markMemo(): void {
    const memo = JSON.parse(readFileSync(memos()[0] ?? '', 'utf8')) as {answer: {end: object}};
    const end = {...memo.answer.end, sha256: marker};
    writeFileSync(memos()[0] ?? '', JSON.stringify({...memo, answer: {...memo.answer, end}}));
  }

  /** Whether a run uses the memo. */
  async function believes(more: readonly string[] = [], environment = {}): Promise<boolean> {
    markMemo();
    return (await run(more, environment)).sha256 === marker;
  }

  /** Runs until there is a memo, of the state as it is: files have to be a moment old. */
  async function settle(): Promise<void> {
    rmSync(join(site.cacheDir, 'fresh'), {recursive: true, force: true});
    for (let i = 0; i < 10 && memos().length === 0; i += 1) await run();
    expect(memos()).toHaveLength(1);
  }

  test('is left by the first run that had nothing to do', async () => {
    edit(site, 'one_3', 'news for the journal');
    await buildSite(site);
    // Nothing is kept of files that changed moments ago.
    const paths = readdirSync(folder, {recursive: true, encoding: 'utf8'}).map((name) => join(folder, name));
    expect(await eventually(() => paths.every((path) => statFile(path)?.settled !== false))).toBe(true);
    rmSync(join(site.cacheDir, 'fresh'), {recursive: true, force: true});
    await run();
    expect(memos()).toHaveLength(1);
  });

  test('repeats the report of the run', async () => {
    await settle();
    const wanted = await flashfreezeJson(commandOf(site), {cwd});
    expect(await believes()).toBe(true);
    const [again, slow] = [await flashfreezeJson(commandOf(site), {cwd}), wanted];
    const actions = (events: typeof slow.events) =>
      events
        .filter(({type}) => type === 'action-finished')
        .map(({id, outcome, bytes}) => ({id, outcome, bytes}));
    expect(actions(again.events)).toEqual(actions(slow.events));
    expect({...again.summary, sha256: 0, time: 0, wallMs: 0}).toEqual({
      ...slow.summary,
      sha256: 0,
      time: 0,
      wallMs: 0,
    });
    const explained = await flashfreezeJson(['explain', '--build-dir', site.buildDir]);
    expect(explained.exitCode).toBe(0);
  });

  test.each<[string, () => void]>([
    [
      'a source is edited',
      () => {
        edit(site, 'one_1', 'edited');
      },
    ],
    [
      'a source is gone',
      () => {
        rmSync(join(site.library, 'one_2.py'));
      },
    ],
    [
      'a file appears beside a source',
      () => {
        writeFileSync(join(site.library, 'new.py'), '');
      },
    ],
    [
      'the interpreter is gone',
      () => {
        rmSync(site.frozen);
      },
    ],
    [
      'the interpreter may not be run',
      () => {
        chmodSync(site.frozen, 0o644);
      },
    ],
    [
      'the interpreter is another one',
      () => {
        appendFileSync(site.frozen, 'x');
      },
    ],
    [
      'the stamps beside it are gone',
      () => {
        rmSync(`${realpathSync(site.frozen)}.stamps`);
      },
    ],
    [
      'an object is gone',
      () => {
        rmSync(objectOf(site));
      },
    ],
    [
      'the journal is gone',
      () => {
        rmSync(join(site.buildDir, JOURNAL));
      },
    ],
    [
      'a configuration file appears',
      () => {
        writeFileSync(join(folder, 'app/flashfreeze.config.json'), '{}');
      },
    ],
  ])('is not used when %s', async (what, change) => {
    // Where the command is called matters for the configuration file alone.
    const at = what.startsWith('a configuration') ? {cwd: site.library} : {cwd};
    rmSync(join(site.cacheDir, 'fresh'), {recursive: true, force: true});
    for (let i = 0; i < 10 && memos().length === 0; i += 1) await flashfreezeJson(commandOf(site), at);
    markMemo();
    expect((await flashfreezeJson(commandOf(site), at)).summary.sha256).toBe(marker);
    change();
    const {summary} = await flashfreezeJson(commandOf(site), at);
    expect(summary).toMatchObject({ok: true});
    expect(summary.sha256).not.toBe(marker);
  });

  test('is not used in another environment, nor with --force', async () => {
    await settle();
    expect(await believes([], {PATH: `${process.env['PATH'] ?? ''}:/nowhere`})).toBe(false);
    expect(await believes(['--dry-run'])).toBe(false);
    const {executed} = (await run(['--force'])).actions;
    expect(executed).toBeGreaterThan(10);
  });

  test('is not used while another run builds', async () => {
    await settle();
    const lock = join(site.buildDir, 'lock');
    const generation = Math.max(...readdirSync(lock).map(Number)) + 1;
    mkdirSync(lock, {recursive: true});
    const holder = {pid: 1, start: '', host: 'another machine', boot: '', since: 'now'};
    writeFileSync(join(lock, String(generation)), JSON.stringify(holder));
    const done = await flashfreezeJson(commandOf(site), {cwd});
    expect(done).toMatchObject({exitCode: 4, summary: {ok: false}});
    rmSync(join(lock, String(generation)));
  });
});

test('edits at random under watch: the last state is what the interpreter has', async () => {
  site.restore();
  const report = await randomEdits(site, {edits: 20, seed: 5, gitDir: join(folder, 'git'), say});
  expect(report).toMatchObject({edits: 20, compared: 2, wrong: []});
});

/** One of the objects of images. */
function objectOf({buildDir}: Site): string {
  const images = join(buildDir, 'images');
  const name = readdirSync(images, {recursive: true, encoding: 'utf8'}).find((each) => each.endsWith('.o'));
  return join(images, name ?? '');
}
