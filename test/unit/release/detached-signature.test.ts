import {execFileSync} from 'node:child_process';
import {appendFileSync, existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {checkSignature, signFile} from '../../../src/release/detached-signature.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {describeWith} from '../../support/with.js';

const PATH = process.env['PATH'] ?? '';
const isThere = (tool: string): boolean => PATH.split(':').some((folder) => existsSync(join(folder, tool)));
let folder = '';
const at = (name: string): string => join(folder, name);
const run = {environment: {PATH, HOME: '/nonexistent'}, signal: new AbortController().signal};
const VERIFY = {ok: false, failure: {code: 'VERIFY'}};
const USAGE = {ok: false, failure: {code: 'USAGE'}};

const check = (file: string, signers: string, by = run): ReturnType<typeof checkSignature> =>
  checkSignature({path: file, bytes: readFileSync(file)}, signers, by);

beforeAll(() => {
  folder = temporaryDirectory('signature');
  writeFileSync(at('manifest'), 'what there is: ä\n');
});

describeWith(isThere('ssh-keygen'), 'ssh-keygen')('a key of ssh', () => {
  const makeKey = (name: string, password = ''): string => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', password, '-C', name, '-f', at(name)]);
    return readFileSync(at(`${name}.pub`), 'utf8');
  };
  beforeAll(() => {
    writeFileSync(at('allowed'), `us@example.org ${makeKey('ours')}`);
    writeFileSync(at('others'), `them@example.org ${makeKey('theirs')}`);
  });

  test('signs, and only its signature of these bytes counts', async () => {
    expect(await check(at('manifest'), at('allowed'), run)).toMatchObject(VERIFY);
    expect(await signFile(at('manifest'), at('ours'), run)).toEqual({ok: true, value: at('manifest.sig')});
    const first = readFileSync(at('manifest.sig'));
    expect(await check(at('manifest'), at('allowed'), run)).toEqual({
      ok: true,
      value: 'us@example.org',
    });
    expect(await check(at('manifest'), at('others'), run)).toMatchObject(VERIFY);
    expect(await signFile(at('manifest'), at('ours'), run)).toMatchObject({ok: true});
    expect(readFileSync(at('manifest.sig')).equals(first)).toBe(true);
    appendFileSync(at('manifest'), 'and more\n');
    expect(await check(at('manifest'), at('allowed'), run)).toMatchObject(VERIFY);
  });

  test('counts for the bytes that are used, not for those that are in the file by then', async () => {
    const bytes = readFileSync(at('manifest'));
    const forged = Buffer.concat([bytes, Buffer.from('forged\n')]);
    expect(await signFile(at('manifest'), at('ours'), run)).toMatchObject({ok: true});
    expect(await checkSignature({path: at('manifest'), bytes: forged}, at('allowed'), run)).toMatchObject(
      VERIFY,
    );
    writeFileSync(at('manifest'), forged);
    expect(await checkSignature({path: at('manifest'), bytes}, at('allowed'), run)).toMatchObject({ok: true});
    writeFileSync(at('manifest'), bytes);
  });

  test('that was made for another purpose does not count', async () => {
    rmSync(at('manifest.sig'), {force: true});
    execFileSync('ssh-keygen', ['-Y', 'sign', '-q', '-n', 'git', '-f', at('ours'), at('manifest')]);
    expect(await check(at('manifest'), at('allowed'), run)).toMatchObject(VERIFY);
  });

  test("with a passphrase fails with the tool's message", async () => {
    makeKey('locked', 'secret');
    const signed = await signFile(at('manifest'), at('locked'), run);
    expect(signed).toMatchObject({
      ok: false,
      failure: {code: 'USAGE', details: expect.stringMatching(/passphrase/)},
    });
  });
});

describeWith(isThere('minisign'), 'minisign')('a key of minisign', () => {
  test('signs, and only its signature of these bytes counts', async () => {
    for (const name of ['ours', 'theirs']) {
      execFileSync('minisign', ['-G', '-W', '-p', at(`${name}.mini`), '-s', at(`${name}.secret`)]);
    }
    expect(await check(at('manifest'), at('ours.mini'), run)).toMatchObject(VERIFY);
    const signed = await signFile(at('manifest'), at('ours.secret'), run);
    expect(signed).toEqual({ok: true, value: at('manifest.minisig')});
    // Neither time nor directory.
    expect(readFileSync(at('manifest.minisig'), 'utf8')).toMatch(
      /^untrusted comment: flashfreeze\n.*\ntrusted comment: flashfreeze\n/,
    );
    expect(await check(at('manifest'), at('ours.mini'), run)).toMatchObject({ok: true});
    expect(await check(at('manifest'), at('theirs.mini'), run)).toMatchObject(VERIFY);
    appendFileSync(at('manifest'), 'and more\n');
    expect(await check(at('manifest'), at('ours.mini'), run)).toMatchObject(VERIFY);
  });
});

describe('a failure to sign', () => {
  test('because the key is invalid or missing', async () => {
    expect(await signFile(at('manifest'), at('manifest'), run)).toMatchObject(USAGE);
    expect(await signFile(at('manifest'), at('nothing'), run)).toMatchObject(USAGE);
    expect(await check(at('manifest'), at('nothing'), run)).toMatchObject(USAGE);
  });

  test('because the tool is missing names its package', async () => {
    writeFileSync(at('some-key'), '-----BEGIN OPENSSH PRIVATE KEY-----\n');
    const bare = {...run, environment: {PATH: '/nonexistent'}};
    expect(await signFile(at('manifest'), at('some-key'), bare)).toMatchObject({
      ok: false,
      failure: {code: 'NO_TOOL', hint: expect.stringMatching(/openssh-client/)},
    });
  });
});
