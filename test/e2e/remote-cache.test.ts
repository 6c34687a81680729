/** The remote cache with a real nginx, as docs/caching.md says how to set one up. */
import {existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, jest, test} from '@jest/globals';
import {digestOf} from '../../src/model/digest.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {actualOutputs, compiled, expectedOutputs} from '../unit/engine/toys.js';
import {buildOn, keyFrom, machine, type Machine} from '../unit/cache/remote/rig.js';
import {prepareTree} from '../../support/cpython-trees.js';
import {flashfreezeJson} from '../../support/rig.js';
import {findNginx, startNginx, type Nginx, type NginxOptions} from '../support/nginx.js';
import {describeWith, testWith} from '../support/with.js';

jest.setTimeout(60_000);

const program = findNginx(); // says why, where it cannot be had
let folder: string;
let maker: Machine;
let taker: Machine;
let nginx: Nginx | undefined;
beforeEach(async () => {
  folder = temporaryDirectory();
  maker = await machine(folder, 'maker');
  taker = await machine(folder, 'taker');
});
afterEach(async () => {
  await nginx?.stop();
  nginx = undefined;
});

async function start(options?: NginxOptions): Promise<Nginx> {
  nginx = await startNginx(program ?? '', options);
  return nginx;
}

const NONE = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};

/** The files below a directory with their content. */
function filesIn(path: string): Map<string, string> {
  const names = readdirSync(path, {recursive: true, encoding: 'utf8'});
  return new Map(
    names
      .filter((name) => statSync(join(path, name)).isFile())
      .map((name) => [name, readFileSync(join(path, name), 'latin1')]),
  );
}

describeWith(program, 'nginx')('nginx', () => {
  test('one machine uploads results, and another one uses them', async () => {
    const {url, requests, folder: served} = await start();
    const signingKey = keyFrom('a secret of the team, long enough for all');
    const made = await buildOn(maker, {url, upload: true, signingKey});
    expect([made.counts, made.warnings]).toEqual([{...NONE, executed: 4}, []]);
    // Four results with their key records and outputs, each content under its digest.
    const kept = filesIn(served);
    expect(kept.size).toBe(12);
    for (const [name, content] of kept) {
      if (name.startsWith('cas/')) expect(`cas/${digestOf(Buffer.from(content, 'latin1'))}`).toBe(name);
    }
    const puts = requests().filter((line) => line.startsWith('PUT'));
    expect(puts).toHaveLength(12);
    expect(puts.every((line) => line.endsWith(' 201'))).toBe(true);

    const taken = await buildOn(taker, {url, signingKey});
    expect([taken.counts, taken.warnings]).toEqual([{...NONE, remote: 4}, []]);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));

    const again = await buildOn(
      await machine(folder, 'again'),
      {url, upload: true, signingKey},
      {force: true},
    );
    expect([again.counts, again.warnings]).toEqual([{...NONE, executed: 4}, []]);
    expect(requests().filter((line) => line.startsWith('PUT'))).toEqual(puts);
    expect(filesIn(served)).toEqual(kept);
  });

  test('also below a path', async () => {
    const {url, folder: served} = await start({prefix: '/python'});
    await buildOn(maker, {url, upload: true});
    expect([...filesIn(served).keys()].every((name) => name.startsWith('python/'))).toBe(true);
    expect((await buildOn(taker, {url})).counts).toEqual({...NONE, remote: 4});
  });

  test('a read-only server is still used for reading', async () => {
    const {url} = await start({writable: false});
    const made = await buildOn(maker, {url, upload: true});
    expect(made.counts).toEqual({...NONE, executed: 4});
    expect(made.warnings[0]).toMatch(/rejected cas\/[0-9a-f]{64}: it answers with HTTP 405$/);
    expect(made.warnings.length).toBeLessThanOrEqual(2);
  });

  test('a server that requires a password for uploads is readable by all', async () => {
    const {url} = await start({writer: 'ci:secret'});
    const refused = await buildOn(taker, {url, upload: true});
    expect(refused.warnings[0]).toMatch(/rejected cas\/[0-9a-f]{64}: it answers with HTTP 401$/);
    const made = await buildOn(maker, {url: url.replace('//', '//ci:secret@'), upload: true});
    expect([made.counts, made.warnings]).toEqual([{...NONE, executed: 4}, []]);
    const taken = await buildOn(await machine(folder, 'other'), {url});
    expect([taken.counts, taken.warnings]).toEqual([{...NONE, remote: 4}, []]);
  });

  test('with its default limit on the body size rejects large files, and accepts the others', async () => {
    const {url} = await start({maxBody: '1k'});
    writeFileSync(join(maker.toy.sourceDir, 'a'), 'x'.repeat(300_000));
    writeFileSync(join(taker.toy.sourceDir, 'a'), 'x'.repeat(300_000));
    const made = await buildOn(maker, {url, upload: true});
    expect(made.warnings).toHaveLength(1);
    expect(made.warnings[0]).toMatch(/rejects cas\/[0-9a-f]{64}: the file is too large$/);
    const taken = await buildOn(taker, {url});
    // The program holds what its parts hold.
    expect([taken.executed, taken.warnings]).toEqual([['cc:a', 'link:program'], []]);
  });

  test('accepts any bytes under any name: readers detect it', async () => {
    const {url} = await start();
    await buildOn(maker, {url, upload: true});
    const blob = `cas/${digestOf(compiled('B1\n'))}`;
    const evil = 'x'.repeat(compiled('B1\n').length);
    expect((await fetch(`${url}/${blob}`, {method: 'PUT', body: evil})).status).toBe(204);
    const taken = await buildOn(taker, {url});
    expect([taken.counts, taken.executed]).toEqual([{...NONE, executed: 1, remote: 3}, ['cc:b']]);
    expect(taken.warnings).toEqual([
      `the remote cache ${url} has an entry at ${blob} that is not what its name says; it is ignored`,
    ]);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  });

  test.each<[string, (path: string, other: string) => void]>([
    [
      'cut short',
      (path) => {
        writeFileSync(path, readFileSync(path).subarray(1));
      },
    ],
    [
      'emptied',
      (path) => {
        writeFileSync(path, '');
      },
    ],
    [
      'exchanged for another',
      (path, other) => {
        writeFileSync(path, readFileSync(other));
      },
    ],
    [
      'removed',
      (path) => {
        rmSync(path);
      },
    ],
  ])('with any one of its files %s never gives a wrong build', async (_, damage) => {
    const {url, folder: served} = await start();
    await buildOn(maker, {url, upload: true});
    const kept = filesIn(served);
    const names = [...kept.keys()].sort();
    const restore = (): void => {
      for (const [name, content] of kept) writeFileSync(join(served, name), Buffer.from(content, 'latin1'));
    };
    for (const [index, name] of names.entries()) {
      restore();
      const other = names[(index + 1) % names.length] ?? '';
      damage(join(served, name), join(served, other));
      const one = await machine(folder, `machine${index}`);
      const built = await buildOn(one, {url});
      expect(built.result.ok).toBe(true);
      expect(actualOutputs(one.toy)).toEqual(expectedOutputs(one.toy));
      // A key record is for people: nothing is built from it.
      const isKeyRecord = kept.has(name.replace('cas/', 'ac/')) && name.startsWith('cas/');
      expect(built.counts).toMatchObject(isKeyRecord ? {remote: 4} : {remote: 3, executed: 1});
    }
  });

  test('that is stopped in the middle of a build does not delay it', async () => {
    const server = await start();
    await buildOn(maker, {url: server.url, upload: true});
    const built = await buildOn(taker, {url: server.url}, {}, (spec) => {
      // By the time of the link it is gone.
      if (spec.id === 'link:program') process.kill(server.pid, 'SIGKILL');
      return spec;
    });
    expect(built.counts).toMatchObject({remote: 3, executed: 1});
    expect(built.warnings).toHaveLength(1);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  });
});

const realBuild = testWith(program, 'nginx');

// The first run on a machine compiles CPython.
realBuild(
  'a real build: what one run makes and puts on the server, the next one takes',
  async () => {
    const {url} = await start();
    const tree = await prepareTree('3.13.15');
    const images = join(tree.buildDir, 'images');
    const aside = join(tree.buildDir, 'images.aside');
    const regen = (cacheDir: string, ...more: string[]): ReturnType<typeof flashfreezeJson> => {
      rmSync(images, {recursive: true, force: true});
      const places = [
        '--source',
        tree.source,
        '--build-dir',
        tree.buildDir,
        '--cache-dir',
        join(folder, cacheDir),
      ];
      return flashfreezeJson(['regen', ...places, '--module', 'colorsys', '--remote-cache', url, ...more], {
        environment: {FLASHFREEZE_CACHE_KEY: 'a secret of the team, long enough for all'},
      });
    };
    if (existsSync(images)) renameSync(images, aside);
    try {
      const made = await regen('one', '--remote-upload');
      expect(made.exitCode).toBe(0);
      expect(made.summary.executed).toEqual(
        expect.arrayContaining(['compile:colorsys', 'generate:colorsys']),
      );
      const files = filesIn(images);
      expect(files.size).toBeGreaterThanOrEqual(3 * made.summary.modules);

      const taken = await regen('two');
      expect(taken.exitCode).toBe(0);
      expect(taken.summary.executed.filter((id) => /^(compile|generate|cc):/.test(id))).toEqual([]);
      expect(taken.summary.actions.remote).toBeGreaterThanOrEqual(2 * taken.summary.modules);
      expect(filesIn(images)).toEqual(files);
      expect([...made.events, ...taken.events].filter(({type}) => type === 'warning')).toEqual([]);
    } finally {
      if (existsSync(aside)) {
        rmSync(images, {recursive: true, force: true});
        renameSync(aside, images);
      }
    }
  },
  1_800_000,
);
