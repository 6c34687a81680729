import {createHmac, generateKeyPairSync} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import {anyPack} from '@bufbuild/protobuf/wkt';
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {ActionResultSchema, type ActionResult} from '../../../../src/cache/remote/action-result_pb.js';
import {connectRemote} from '../../../../src/cache/remote/connect.js';
import {SignatureSchema} from '../../../../src/cache/remote/signature_pb.js';
import {parseKey} from '../../../../src/cache/remote/signing.js';
import {digestOf} from '../../../../src/model/digest.js';
import {startCacheServer, type CacheServer} from '../../../support/cache-server.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {actualOutputs, expectedOutputs, ofType, recorder} from '../../engine/toys.js';
import {buildOn, keyFrom, machine, type RemoteBuild} from './rig.js';

jest.setTimeout(30_000);

let folder: string;
let server: CacheServer;
beforeEach(async () => {
  folder = temporaryDirectory();
  server = await startCacheServer();
});
afterEach(async () => {
  await server.stop();
});

function pair(): {readonly secret: string; readonly open: string} {
  const {privateKey, publicKey} = generateKeyPairSync('ed25519');
  return {
    secret: privateKey.export({type: 'pkcs8', format: 'pem'}).toString(),
    open: publicKey.export({type: 'spki', format: 'pem'}).toString(),
  };
}

async function make(key?: string): Promise<void> {
  const signingKey = key === undefined ? undefined : keyFrom(key);
  const made = await buildOn(await machine(folder, 'maker'), {url: server.url, upload: true, signingKey});
  expect([made.warnings, made.counts['executed']]).toEqual([[], 4]);
}

let takers = 0;
async function take(key?: string): Promise<RemoteBuild> {
  takers += 1;
  const taker = await machine(folder, `taker${takers}`);
  const signingKey = key === undefined ? undefined : keyFrom(key);
  const taken = await buildOn(taker, {url: server.url, signingKey});
  expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  return taken;
}

/** Changes every result that the server has. */
function forge(change: (message: ActionResult, key: string) => ActionResult | undefined): void {
  for (const [path, bytes] of server.kept) {
    if (!path.startsWith('ac/')) continue;
    const message = fromBinary(ActionResultSchema, bytes);
    server.kept.set(
      path,
      Buffer.from(toBinary(ActionResultSchema, change(message, path.slice(3)) ?? message)),
    );
  }
}

function expectRefused(taken: RemoteBuild, why: string): void {
  expect(taken.counts).toMatchObject({executed: 4, remote: 0});
  expect(taken.warnings).toHaveLength(1);
  expect(taken.warnings[0]).toContain(why);
}

const NOT_SIGNED = 'is not signed;';
const OTHER_KEY = 'has no valid signature for the given key;';
const HMAC = 'a secret of the team, of thirty-two bytes or more';

describe('with the secret of an HMAC', () => {
  test('results that were signed with it are accepted', async () => {
    await make(HMAC);
    expect((await take(`${HMAC}\n`)).counts).toMatchObject({remote: 4});
  });

  test('results without a signature are rejected', async () => {
    await make();
    expectRefused(await take(HMAC), NOT_SIGNED);
  });

  test('results with the signature of another key are rejected', async () => {
    await make(`another ${HMAC}`);
    expectRefused(await take(HMAC), OTHER_KEY);
  });

  test('a machine without a key accepts them, signed or not', async () => {
    await make(HMAC);
    expect((await take()).counts).toMatchObject({remote: 4});
  });
});

describe('with an ed25519 key', () => {
  test('the private half signs, and the public half verifies', async () => {
    const {secret, open} = pair();
    await make(secret);
    expect((await take(open)).counts).toMatchObject({remote: 4});
    expect((await take(secret)).counts).toMatchObject({remote: 4});
    expectRefused(await take(pair().open), OTHER_KEY);
    expectRefused(await take(HMAC), OTHER_KEY);
  });

  test('the public half is not accepted as an HMAC secret', async () => {
    const {open} = pair();
    await make(HMAC);
    forge((message, key) => {
      const outputs = message.outputFiles
        .filter(({path}) => path !== 'key.json')
        .map(({path, digest, isExecutable}) => ({
          digest: digest?.hash,
          executable: isExecutable,
          name: path.replace('outputs/', ''),
          size: Number(digest?.sizeBytes),
        }));
      const text = `flashfreeze result 1\n${key}\n${JSON.stringify(outputs)}`;
      const value = createHmac('sha256', open.trim()).update(text).digest();
      const both = ['hmac-sha256', 'ed25519'].map((algorithm) =>
        anyPack(SignatureSchema, create(SignatureSchema, {algorithm, value})),
      );
      if (message.executionMetadata) message.executionMetadata.auxiliaryMetadata = both;
      return message;
    });
    expectRefused(await take(open), OTHER_KEY);
  });
});

describe('a signed result that was changed', () => {
  beforeEach(() => make(HMAC));

  test.each<[string, (message: ActionResult) => ActionResult | undefined]>([
    [
      'to other content',
      (message) => {
        const [digest, evil] = [message.outputFiles[1]?.digest, Buffer.from('evil')];
        server.kept.set(`cas/${digestOf(evil)}`, evil);
        if (digest !== undefined)
          Object.assign(digest, {hash: digestOf(evil), sizeBytes: BigInt(evil.length)});
        return message;
      },
    ],
    [
      'to another size',
      (message) => {
        const digest = message.outputFiles[1]?.digest;
        if (digest !== undefined) digest.sizeBytes += 1n;
        return message;
      },
    ],
    [
      'to another name',
      (message) => {
        const file = message.outputFiles[1];
        if (file !== undefined) file.path = 'outputs/other';
        return message;
      },
    ],
    [
      'to an executable',
      (message) => {
        const file = message.outputFiles[1];
        if (file !== undefined) file.isExecutable = !file.isExecutable;
        return message;
      },
    ],
    [
      'in its signature',
      (message) => {
        const value = message.executionMetadata?.auxiliaryMetadata[0]?.value;
        if (value !== undefined) value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
        return message;
      },
    ],
    [
      'to a signature cut short',
      (message) => {
        const signature = create(SignatureSchema, {algorithm: 'hmac-sha256', value: new Uint8Array(31)});
        if (message.executionMetadata) {
          message.executionMetadata.auxiliaryMetadata = [anyPack(SignatureSchema, signature)];
        }
        return message;
      },
    ],
  ])('%s is rejected', async (_, change) => {
    forge(change);
    expectRefused(await take(HMAC), OTHER_KEY);
  });

  test('to look like that of another action is rejected', async () => {
    const results = [...server.kept.keys()].filter((path) => path.startsWith('ac/'));
    const messages = new Map(results.map((path) => [path, server.kept.get(path) ?? Buffer.from('')]));
    for (const [index, path] of results.entries()) {
      const other = messages.get(results[(index + 1) % results.length] ?? '');
      const message = fromBinary(ActionResultSchema, other ?? Buffer.from(''));
      const own = message.outputFiles.find((file) => file.path === 'key.json');
      if (own?.digest !== undefined) own.digest.hash = path.slice(3);
      server.kept.set(path, Buffer.from(toBinary(ActionResultSchema, message)));
    }
    expectRefused(await take(HMAC), OTHER_KEY);
  });

  test("only by the server's own fields is accepted", async () => {
    forge((message) => {
      if (message.executionMetadata) message.executionMetadata.worker = '192.0.2.7';
      // stdout_raw, which our messages do not know.
      return fromBinary(
        ActionResultSchema,
        Buffer.concat([toBinary(ActionResultSchema, message), Buffer.from([0x2a, 3, 97, 98, 99])]),
      );
    });
    expect((await take(HMAC)).counts).toMatchObject({remote: 4});
  });
});

describe('without a key', () => {
  beforeEach(() => make());

  test.each<[string, (message: ActionResult) => ActionResult | undefined]>([
    ['that failed', (message) => ({...message, exitCode: 1})],
    ['without its key record', (message) => ({...message, outputFiles: message.outputFiles.slice(1)})],
    [
      'with an output twice',
      (message) => ({...message, outputFiles: [...message.outputFiles, ...message.outputFiles.slice(1)]}),
    ],
    [
      'with an output somewhere else',
      (message) => {
        const file = message.outputFiles[1];
        if (file !== undefined) file.path = '/etc/passwd';
        return message;
      },
    ],
    [
      'with an output of a terabyte',
      (message) => {
        const digest = message.outputFiles[1]?.digest;
        if (digest !== undefined) digest.sizeBytes = 1n << 40n;
        return message;
      },
    ],
    [
      'with an output of negative size',
      (message) => {
        const digest = message.outputFiles[1]?.digest;
        if (digest !== undefined) digest.sizeBytes = -1n;
        return message;
      },
    ],
    [
      'with a digest that is none',
      (message) => {
        const digest = message.outputFiles[1]?.digest;
        if (digest !== undefined) digest.hash = '../../../../etc/passwd';
        return message;
      },
    ],
  ])('a result %s is not used', async (_, change) => {
    forge(change);
    expectRefused(await take(), 'has an entry at ac/');
  });

  test('a result for other outputs is a miss', async () => {
    forge((message) => {
      const file = message.outputFiles[1];
      if (file !== undefined) file.path += 'x';
      return message;
    });
    const taken = await take();
    expect(taken.counts).toMatchObject({executed: 4});
  });
});

describe('a key', () => {
  test.each([
    ['nothing', ' \n', 'contains no key'],
    ['half a PEM', '-----BEGIN PRIVATE KEY-----\nMC4CAQ', 'cannot read the key in'],
    [
      'a key of another kind',
      generateKeyPairSync('ec', {namedCurve: 'P-256'})
        .publicKey.export({type: 'spki', format: 'pem'})
        .toString(),
      'of type ec',
    ],
  ])('that is %s is a usage error, and is not shown', (_, text, why) => {
    const key = parseKey(text, '/some/file');
    expect(key).toMatchObject({ok: false, failure: {code: 'CONFIG'}});
    const message = key.ok ? '' : key.failure.message;
    expect(message).toContain('/some/file');
    expect(message).toContain(why);
    expect(message).not.toContain('MC4CAQ');
  });

  test('in PEM may have a comment in front', () => {
    expect(parseKey(`# our key\n${pair().open}`, 'test')).toMatchObject({
      ok: true,
      value: {algorithm: 'ed25519', sign: undefined},
    });
  });

  test('of another form is not taken for a secret, nor is a short one', () => {
    const {publicKey, privateKey} = generateKeyPairSync('ed25519');
    const der = publicKey.export({type: 'spki', format: 'der'});
    const texts = [
      ...[der.toString('base64'), der.toString('hex'), der.toString('base64url'), der.toString('utf8')],
      privateKey.export({type: 'pkcs8', format: 'der'}).toString('base64'),
      JSON.stringify(publicKey.export({format: 'jwk'})),
      pair().open.replaceAll('-----', ''),
      pair().open.replaceAll('-----', '----'),
      `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'x'.repeat(43)} us@example.org`,
      `us@example.org ssh-rsa AAAAB3NzaC1yc2E${'x'.repeat(90)}`,
      `untrusted comment: minisign public key\nRW${'Q'.repeat(54)}`,
      `RW${'Q'.repeat(54)}`,
      `-----BEGIN PGP PUBLIC KEY BLOCK-----\n${'x'.repeat(64)}\n-----END PGP PUBLIC KEY BLOCK-----`,
      'x'.repeat(31),
    ];
    for (const text of texts)
      expect({text, ...parseKey(text, 'test')}).toMatchObject({text, ok: false, failure: {code: 'CONFIG'}});
    for (const text of ['x'.repeat(32), 'a'.repeat(64), Buffer.alloc(32, 'xyz').toString('base64')])
      expect(parseKey(text, 'test')).toMatchObject({ok: true, value: {algorithm: 'hmac-sha256'}});
  });

  const settings = (keyFile?: string, upload = false): Parameters<typeof connectRemote>[0] => ({
    url: 'http://127.0.0.1:9',
    upload,
    keyFile,
  });
  const {signal} = new AbortController();

  test('comes from the environment, or from a file', async () => {
    const {secret, open} = pair();
    writeFileSync(join(folder, 'public.pem'), open);
    writeFileSync(join(folder, 'bad.pem'), '-----BEGIN');
    const connect = (keyFile: string | undefined, value: string | undefined, upload: boolean) =>
      connectRemote(settings(keyFile, upload), {FLASHFREEZE_CACHE_KEY: value}, recorder(), signal);
    // The public half cannot sign, so whether an upload is possible tells which key it was.
    const cannot = {ok: false, failure: {code: 'CONFIG', message: expect.stringContaining('cannot sign')}};
    expect(await connect(join(folder, 'public.pem'), undefined, true)).toMatchObject(cannot);
    expect(await connect(join(folder, 'public.pem'), '', true)).toMatchObject(cannot);
    expect(await connect(join(folder, 'public.pem'), secret, true)).toMatchObject({ok: true});
    expect(await connect(join(folder, 'public.pem'), undefined, false)).toMatchObject({ok: true});
    expect(await connect(undefined, open, true)).toMatchObject(cannot);
    expect(await connect(undefined, undefined, true)).toMatchObject({ok: true});
    for (const file of ['missing.pem', 'bad.pem']) {
      const failed = await connect(join(folder, file), undefined, false);
      expect(failed).toMatchObject({ok: false, failure: {code: 'CONFIG'}});
      expect(failed.ok ? '' : failed.failure.message).toContain(join(folder, file));
    }
  });

  test('that is expected but empty disables the remote cache instead of signatures', async () => {
    const record = recorder();
    expect(await connectRemote(settings(), {FLASHFREEZE_CACHE_KEY: ''}, record, signal)).toEqual({
      ok: true,
      value: undefined,
    });
    expect(ofType(record, 'warning').map(({message}) => message)).toEqual([
      'FLASHFREEZE_CACHE_KEY is empty: building without the remote cache',
    ]);
  });
});
