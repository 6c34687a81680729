import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {digestOf} from '../../../../src/model/digest.js';
import {type GrpcCacheServer, startGrpcCacheServer, STATUS} from '../../../support/grpc-cache-server.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {actualOutputs, expectedOutputs} from '../../engine/toys.js';
import {buildOn, keyFrom, machine, type Machine, remoteOf} from './rig.js';

jest.setTimeout(60_000);

let folder: string;
let server: GrpcCacheServer;
let maker: Machine;
let taker: Machine;
beforeEach(async () => {
  folder = temporaryDirectory();
  server = await startGrpcCacheServer();
  maker = await machine(folder, 'maker');
  taker = await machine(folder, 'taker');
});
afterEach(async () => {
  await server.stop();
});

const NONE = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};
const methods = (): string[] => server.requests.map((line) => line.replace(/ .*/, ''));

test('one machine uploads signed results, and another one uses them', async () => {
  const signingKey = keyFrom('a secret of the team, long enough for all');
  const made = await buildOn(maker, {url: server.url, upload: true, signingKey});
  expect([made.counts, made.warnings]).toEqual([{...NONE, executed: 4}, []]);
  for (const [name, content] of server.kept) {
    if (name.startsWith('cas/')) expect(`cas/${digestOf(content)}`).toBe(name);
  }
  expect(methods().filter((name) => name === 'GetCapabilities')).toHaveLength(1);
  server.requests.length = 0;

  const taken = await buildOn(taker, {url: server.url, signingKey});
  expect([taken.counts, taken.warnings]).toEqual([{...NONE, remote: 4}, []]);
  expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  expect(methods().filter((name) => /Update|Write/.test(name))).toEqual([]);

  const stranger = await buildOn(await machine(folder, 'stranger'), {
    url: server.url,
    signingKey: keyFrom('another secret, which is long enough for this test'),
  });
  expect(stranger.counts).toEqual({...NONE, executed: 4});
  expect(stranger.warnings).toEqual([expect.stringContaining('has no valid signature for the given key')]);
});

test('files are uploaded before the results that refer to them', async () => {
  await buildOn(maker, {url: server.url, upload: true});
  const uploaded = new Set<string>();
  for (const line of server.requests) {
    const [method = '', ...entries] = line.split(' ');
    if (/BatchUpdateBlobs|Write/.test(method)) for (const entry of entries) uploaded.add(entry);
    if (method !== 'UpdateActionResult') continue;
    const [, key = ''] = (entries[0] ?? '').split('/');
    expect(uploaded).toContain(`cas/${key}`);
  }
  expect(methods().filter((name) => name === 'UpdateActionResult')).toHaveLength(4);
  const before = new Map(server.kept);
  server.requests.length = 0;
  const again = await buildOn(await machine(folder, 'again'), {url: server.url, upload: true}, {force: true});
  expect([again.counts, again.warnings]).toEqual([{...NONE, executed: 4}, []]);
  // What is there stays as it is.
  expect(methods().filter((name) => /Update|Write/.test(name))).toEqual([]);
  expect(server.kept).toEqual(before);
});

test.each([0, 1000, 50_000])(
  'large files are streamed, with a limit of %i bytes for batches',
  async (batchBytes) => {
    server.batchBytes = batchBytes;
    const large = 'x\n'.repeat(1_700_000);
    for (const {toy} of [maker, taker]) writeFileSync(join(toy.sourceDir, 'a'), large);
    const made = await buildOn(maker, {url: server.url, upload: true});
    expect([made.counts, made.warnings]).toEqual([{...NONE, executed: 4}, []]);
    const taken = await buildOn(taker, {url: server.url});
    expect([taken.counts, taken.warnings]).toEqual([{...NONE, remote: 4}, []]);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
    expect(methods()).toEqual(expect.arrayContaining(['Write', 'Read']));
  },
);

test('files that are wanted at the same time share calls', async () => {
  const {remote} = await remoteOf({url: server.url});
  const contents = Array.from({length: 300}, (_, i) => Buffer.from(`content ${i}`.repeat(1000)));
  for (const content of contents) server.kept.set(`cas/${digestOf(content)}`, content);
  const done = await Promise.all(
    contents.map((content, i) => {
      const output = {name: 'o', digest: digestOf(content), size: content.length, executable: false};
      return remote.download(digestOf('key'), output, join(folder, `file${i}`));
    }),
  );
  remote.close();
  expect(done.every((each) => each.ok && each.value)).toBe(true);
  expect(methods().filter((name) => name === 'BatchReadBlobs').length).toBeLessThan(20);
  expect(methods().filter((name) => name === 'Read')).toEqual([]);
});

describe('the address', () => {
  test('names an instance, and a user', async () => {
    const url = `${server.url.replace('//', '//us%40er:pass%3Aword@')}/team/main`;
    const made = await buildOn(maker, {url, upload: true});
    expect(made.warnings).toEqual([]);
    expect(server.instances).toEqual(new Set(['team/main']));
    const basic = `Basic ${Buffer.from('us@er:pass:word').toString('base64')}`;
    expect(new Set(server.headers.map(({authorization}) => authorization))).toEqual(new Set([basic]));
  });

  test('a token of the environment takes precedence, and is never shown', async () => {
    const environment = {FLASHFREEZE_CACHE_TOKEN: ' s3cr3t-t0ken\n'};
    server.mischief = ({honest}) => (honest.messages.length > 0 ? {messages: [], status: 16} : honest);
    const url = server.url.replace('//', '//user:word@');
    const made = await buildOn(maker, {url, upload: true, environment});
    expect(new Set(server.headers.map(({authorization}) => authorization))).toEqual(
      new Set(['Bearer s3cr3t-t0ken']),
    );
    expect(made.warnings).toEqual([
      `the remote cache ${server.url} is not used for the rest of this run: it answers with UNAUTHENTICATED (said so)`,
    ]);
  });

  test.each(['a b', 'a\nb', 'ä'])('the token %j is refused', async (token) => {
    const opening = remoteOf({url: server.url, environment: {FLASHFREEZE_CACHE_TOKEN: token}});
    await expect(opening).rejects.toThrow('FLASHFREEZE_CACHE_TOKEN has characters that a token cannot have');
  });
});

describe('a server that', () => {
  test('has no Capabilities is used', async () => {
    server.mischief = ({method, honest}) =>
      method === 'GetCapabilities' ? {messages: [], status: STATUS.UNIMPLEMENTED} : honest;
    await buildOn(maker, {url: server.url, upload: true});
    const taken = await buildOn(taker, {url: server.url});
    expect([taken.counts, taken.warnings]).toEqual([{...NONE, remote: 4}, []]);
  });

  test('refuses uploads is read from, and a warning says why', async () => {
    await buildOn(maker, {url: server.url, upload: true});
    server.mischief = ({method, honest}) =>
      /Update|Write/.test(method) ? {messages: [], status: 7} : honest;
    server.kept.clear();
    const made = await buildOn(taker, {url: server.url, upload: true});
    expect(made.counts).toEqual({...NONE, executed: 4});
    expect(made.warnings[0]).toMatch(
      /rejected cas\/[0-9a-f]{64}: it answers with PERMISSION_DENIED \(said so\)$/,
    );
    expect(made.warnings.length).toBeLessThanOrEqual(2);
  });

  test('fails once is used on: what befalls a batch counts once', async () => {
    await buildOn(maker, {url: server.url, upload: true});
    let calls = 0;
    server.mischief = ({method, honest}) => {
      if (method !== 'BatchReadBlobs') return honest;
      calls += 1;
      return calls === 1 ? {messages: [], status: STATUS.INTERNAL} : honest;
    };
    const taken = await buildOn(taker, {url: server.url});
    expect(taken.result.ok).toBe(true);
    expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
    expect(taken.warnings).toEqual([
      `the remote cache ${server.url} sent an invalid response: it answers with INTERNAL (said so)`,
    ]);
    // The program, which is asked for later, comes from it.
    expect(taken.counts['remote']).toBeGreaterThan(0);
  });
});
