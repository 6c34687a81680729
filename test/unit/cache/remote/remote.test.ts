import {rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {openRemote} from '../../../../src/cache/remote/remote.js';
import {digestOf} from '../../../../src/model/digest.js';
import {startCacheServer, type CacheServer} from '../../../support/cache-server.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {actualOutputs, build, compiled, expectedOutputs, recorder, storeIn} from '../../engine/toys.js';
import {ACTIONS, buildOn, machine, remoteOf, SOURCES, type Machine} from './rig.js';

jest.setTimeout(30_000);

let folder: string;
let server: CacheServer;
let maker: Machine;
let taker: Machine;
beforeEach(async () => {
  folder = temporaryDirectory();
  server = await startCacheServer();
  maker = await machine(folder, 'maker');
  taker = await machine(folder, 'taker');
});
afterEach(async () => {
  await server.stop();
});

const url = (): string => server.url;
const puts = (): string[] => server.requests.filter((line) => line.startsWith('PUT'));
const gets = (): string[] => server.requests.filter((line) => line.startsWith('GET'));
const NONE = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};

describe('a result of one machine', () => {
  test('is used by another machine, and stored in its own cache', async () => {
    const made = await buildOn(maker, {url: url(), upload: true});
    expect(made.counts).toEqual({...NONE, executed: 4});
    const taken = await buildOn(taker, {url: url()});
    expect(taken.counts).toEqual({...NONE, remote: 4});
    expect(taken.lines).toEqual(ACTIONS.map((id) => `${id}: remote: result in the remote cache`));
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
    expect([...made.warnings, ...taken.warnings]).toEqual([]);
    expect(await (await storeIn(taker.storeDir)).verify()).toMatchObject({
      entries: 4,
      blobs: 4,
      damaged: [],
      incomplete: [],
    });

    rmSync(taker.toy.buildDir, {recursive: true});
    await server.stop();
    const again = await buildOn(taker, {url: url()});
    expect(again.counts).toEqual({...NONE, cached: 4});
    expect(again.warnings).toEqual([]);
  });

  test('is not requested when there is nothing to do, or the local cache has it', async () => {
    await buildOn(taker, {url: url()});
    server.requests.length = 0;
    expect((await buildOn(taker, {url: url(), upload: true})).counts).toEqual({...NONE, fresh: 4});
    rmSync(taker.toy.buildDir, {recursive: true});
    expect((await buildOn(taker, {url: url(), upload: true})).counts).toEqual({...NONE, cached: 4});
    expect(server.requests).toEqual([]);
  });

  test('also serves a machine without a local cache', async () => {
    await buildOn(maker, {url: url(), upload: true}, {store: undefined});
    const taken = await buildOn(taker, {url: url()}, {store: undefined});
    expect(taken.counts).toEqual({...NONE, remote: 4});
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  });

  test('is used action by action: what differs is built locally', async () => {
    await buildOn(maker, {url: url(), upload: true});
    writeFileSync(join(taker.toy.sourceDir, 'b'), 'B2\n');
    const taken = await buildOn(taker, {url: url()});
    expect(taken.executed).toEqual(['cc:b', 'link:program']);
    expect(taken.counts).toEqual({...NONE, executed: 2, remote: 2});
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  });

  test('is predicted by a dry run, which changes nothing', async () => {
    await buildOn(maker, {url: url(), upload: true});
    const dry = await buildOn(taker, {url: url(), upload: true}, {dryRun: true});
    expect(dry.counts).toEqual({...NONE, remote: 4});
    expect(gets().filter((line) => line.includes('cas/'))).toEqual([]);
    expect((await buildOn(taker, {url: url()})).counts).toEqual({...NONE, remote: 4});
  });

  test('may be an empty file', async () => {
    const empty = {...SOURCES, a: ''};
    for (const {toy} of [maker, taker]) writeFileSync(join(toy.sourceDir, 'a'), empty.a);
    const nothing = (spec: Parameters<NonNullable<Parameters<typeof build>[2]>>[0]): typeof spec =>
      spec.id === 'cc:a'
        ? {
            ...spec,
            execute: ({outputs}) => {
              writeFileSync(outputs['a.o'] ?? '', '');
              return Promise.resolve({ok: true, value: undefined});
            },
          }
        : spec;
    await buildOn(maker, {url: url(), upload: true}, {}, nothing);
    expect(server.kept.has(`cas/${digestOf('')}`)).toBe(false);
    const taken = await buildOn(taker, {url: url()}, {}, nothing);
    expect(taken.counts).toEqual({...NONE, remote: 4});
    expect(actualOutputs(taker.toy)).toEqual(actualOutputs(maker.toy));
  });

  test('is kept with the key record, so that it can be explained', async () => {
    await buildOn(maker, {url: url(), upload: true});
    const results = [...server.kept.keys()].filter((path) => path.startsWith('ac/'));
    expect(results).toHaveLength(4);
    const targets = results.map((path) => {
      const record = server.kept.get(path.replace('ac/', 'cas/'))?.toString() ?? '';
      expect(digestOf(record)).toBe(path.slice(3));
      return (JSON.parse(record) as {target: string}).target;
    });
    expect(targets.sort()).toEqual(['a', 'b', 'c', 'program']);
  });
});

describe('uploads', () => {
  test('are made only when asked for', async () => {
    await buildOn(maker, {url: url()});
    expect(server.requests.filter((line) => !line.startsWith('GET ac/'))).toEqual([]);
    expect(server.kept.size).toBe(0);
  });

  test('put every file before the result that refers to it', async () => {
    await buildOn(maker, {url: url(), upload: true});
    const sent = puts();
    expect(sent).toHaveLength(12);
    for (const name of maker.toy.names) {
      const blob = sent.indexOf(`PUT cas/${digestOf(compiled(`${name.toUpperCase()}1\n`))}`);
      const results = sent.filter((line) => line.startsWith('PUT ac/'));
      const result = results.find((line) => {
        const record = server.kept.get(line.replace('PUT ac/', 'cas/'))?.toString() ?? '';
        return record.includes(`"target":"${name}"`);
      });
      expect(blob).toBeGreaterThanOrEqual(0);
      expect(sent.indexOf(result ?? '')).toBeGreaterThan(blob);
      expect(sent.indexOf((result ?? '').replace('ac/', 'cas/'))).toBeLessThan(sent.indexOf(result ?? ''));
    }
  });

  test('replace nothing, even if everything is executed again', async () => {
    await buildOn(maker, {url: url(), upload: true});
    const before = new Map(server.kept);
    server.requests.length = 0;
    const forced = await buildOn(taker, {url: url(), upload: true}, {force: true});
    expect(forced.counts).toEqual({...NONE, executed: 4});
    expect(puts()).toEqual([]);
    expect(server.kept).toEqual(before);
  });

  test('send If-None-Match; another client that was faster causes no warning', async () => {
    server.mischief = ({method, path}, response) => {
      if (method !== 'PUT' || !path.startsWith('ac/')) return false;
      response.writeHead(412).end();
      return true;
    };
    const made = await buildOn(maker, {url: url(), upload: true});
    expect(made.warnings).toEqual([]);
    const conditions = server.headers.filter((_, index) => server.requests[index]?.startsWith('PUT'));
    expect(new Set(conditions.map((headers) => headers['if-none-match']))).toEqual(new Set(['*']));
  });

  test('do not upload a result if one of its files could not be uploaded', async () => {
    const blob = digestOf(compiled('A1\n'));
    server.mischief = ({method, path}, response) => {
      if (method !== 'PUT' || path !== `cas/${blob}`) return false;
      response.writeHead(507).end();
      return true;
    };
    const made = await buildOn(maker, {url: url(), upload: true});
    expect(made.warnings).toEqual([
      `the remote cache ${url()} rejected cas/${blob}: it answers with HTTP 507`,
    ]);
    expect(made.result.ok).toBe(true);
    server.mischief = undefined;
    expect((await buildOn(taker, {url: url()})).executed).toEqual(['cc:a']);
  });

  test('end when the server rejects them, and reading continues', async () => {
    await buildOn(maker, {url: url(), upload: true});
    server.mischief = ({method}, response) => {
      if (method !== 'PUT') return false;
      response.writeHead(403).end();
      return true;
    };
    for (const name of taker.toy.names.slice(0, 2)) writeFileSync(join(taker.toy.sourceDir, name), 'new\n');
    const built = await buildOn(taker, {url: url(), upload: true});
    expect(built.counts).toEqual({...NONE, executed: 3, remote: 1});
    expect(built.warnings[0]).toMatch(/rejected cas\/[0-9a-f]{64}: it answers with HTTP 403$/);
    expect(built.warnings.length).toBeLessThanOrEqual(2);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  });

  test('a file that is too large for the server causes one warning', async () => {
    server.mischief = ({method, path}, response) => {
      if (method !== 'PUT' || !path.startsWith('cas/')) return false;
      response.writeHead(413, {connection: 'close'}).end();
      return true;
    };
    const made = await buildOn(maker, {url: url(), upload: true});
    expect(made.warnings).toHaveLength(1);
    expect(made.warnings[0]).toMatch(/rejects cas\/[0-9a-f]{64}: the file is too large$/);
  });

  test('do not include outputs that have changed since the action', async () => {
    const {remote} = await remoteOf({url: url(), upload: true});
    writeFileSync(join(folder, 'file'), 'changed');
    const output = {name: 'o', digest: digestOf('made'), size: 4, executable: false};
    remote.offer(digestOf('{}'), {keyRecord: '{}', outputs: [output]}, {o: join(folder, 'file')});
    await remote.finish();
    expect([...server.kept.keys()]).toEqual([`cas/${digestOf('{}')}`]);
  });
});

describe('in one run', () => {
  test('a miss is requested once', async () => {
    const {remote} = await remoteOf({url: url()});
    for (let round = 0; round < 3; round += 1) {
      rmSync(taker.toy.buildDir, {recursive: true, force: true});
      await build(taker.toy, {remote});
    }
    expect(gets()).toHaveLength(4);
    expect(new Set(gets()).size).toBe(4);
  });

  test('the first request runs alone', async () => {
    let most = 0;
    let now = 0;
    let answered = 0;
    server.mischief = (_, response) => {
      now += 1;
      if (answered === 0) most = Math.max(most, now);
      setTimeout(() => {
        now -= 1;
        answered += 1;
        response.writeHead(404).end();
      }, 50);
      return true;
    };
    await buildOn(taker, {url: url()});
    expect(most).toBe(1);
  });
});

describe('an address', () => {
  test('may have a path, which is kept', async () => {
    await buildOn(maker, {url: `${url()}/team/python/`, upload: true});
    expect([...server.kept.keys()].every((path) => /^team\/python\/(ac|cas)\//.test(path))).toBe(true);
    expect((await buildOn(taker, {url: `${url()}/team/python`})).counts).toEqual({...NONE, remote: 4});
    expect((await buildOn(await machine(folder, 'other'), {url: url()})).counts).toEqual({
      ...NONE,
      executed: 4,
    });
  });

  test('may have a user and a password, which are sent and never shown', async () => {
    const secret = url().replace('http://', 'http://us%40er:pass%3Aword@');
    server.mischief = ({method}, response) => {
      if (method !== 'PUT') return false;
      response.writeHead(500).end();
      return true;
    };
    const made = await buildOn(maker, {url: secret, upload: true});
    const sent = new Set(server.headers.map(({authorization}) => authorization));
    expect(sent).toEqual(new Set([`Basic ${Buffer.from('us@er:pass:word').toString('base64')}`]));
    expect(made.warnings.length).toBeGreaterThan(0);
    expect(made.warnings.join()).not.toMatch(/pass|us%40er/);
  });

  test.each([
    ['no URL', 'cache.example.org'],
    ['of another protocol', 'ftp://cache.example.org'],
    ['a file', 'file:///cache'],
    ['with a query', 'http://cache.example.org/?a=b'],
  ])('that is %s is a usage error', async (_, address) => {
    const opened = await openRemote({
      url: address,
      upload: false,
      signingKey: undefined,
      events: recorder(),
      signal: new AbortController().signal,
    });
    expect(opened).toMatchObject({ok: false, failure: {code: 'CONFIG'}});
  });
});
