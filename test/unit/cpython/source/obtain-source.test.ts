import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {createServer, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals';
import {findTool} from '../../../../src/exec/tools.js';
import type {DownloadLimits} from '../../../../src/cpython/source/download.js';
import {obtainSource} from '../../../../src/cpython/source/obtain-source.js';
import {newestOf, pinnedRelease} from '../../../../src/cpython/source/releases.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {SMALL_TREE, writeFiles} from '../folders.js';

const folder = temporaryDirectory();
writeFiles(join(folder, 'Python-3.13.15'), SMALL_TREE);
const archive = join(folder, 'small.tar.gz');
execFileSync('tar', ['-czf', archive, '-C', folder, 'Python-3.13.15']);
const bytes = readFileSync(archive);
const sha256 = createHash('sha256').update(bytes).digest('hex');

/** A body without an end, for a client that goes on reading. */
function pourZeros(response: ServerResponse, isCompressed: boolean): void {
  if (isCompressed) response.setHeader('content-encoding', 'gzip');
  const zeros = isCompressed ? gzipSync(Buffer.alloc(1 << 20)) : Buffer.alloc(1 << 16);
  const more = (): void => {
    if (!response.destroyed) response.write(zeros, () => setImmediate(more));
  };
  more();
}

let server: Server;
let requests = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    requests += 1;
    if (request.url?.includes('gone')) response.writeHead(404).end();
    else if (request.url?.includes('large')) response.writeHead(200, {'content-length': 1e12}).write(bytes);
    else if (request.url?.includes('endless')) pourZeros(response, request.url.includes('gzip'));
    else if (request.url?.includes('stalled')) response.write(bytes.subarray(0, 9));
    else response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** A PATH with a few tools, so that neither curl nor apt of this machine is used. */
async function toolbox(name: string, tools: readonly string[]): Promise<string> {
  const path = join(folder, name);
  mkdirSync(path);
  for (const tool of tools) symlinkSync((await findTool(tool)) ?? tool, join(path, tool));
  return path;
}

let cacheDir: string;
let serial = 0;
const log: string[] = [];
beforeEach(() => {
  cacheDir = join(folder, `cache${++serial}`);
  log.length = 0;
  requests = 0;
});

describe.each(['fetch', 'curl'])('with %s', (downloader) => {
  let path = '';
  beforeAll(async () => {
    const tools = ['tar', 'gzip', 'sh'];
    path = await toolbox(`with-${downloader}`, downloader === 'curl' ? [...tools, 'curl'] : tools);
  });
  const obtain = (overrides: {url?: string; sha256?: string; limits?: DownloadLimits} = {}) => {
    const {port} = server.address() as AddressInfo;
    return obtainSource({
      version: '3.13.15',
      cacheDir,
      environment: {PATH: path},
      signal: new AbortController().signal,
      log: (text) => void log.push(text),
      limits: overrides.limits,
      release: (version) => ({version, url: `http://127.0.0.1:${port}/Python.tar.gz`, sha256, ...overrides}),
    });
  };

  test('downloads once, checks, unpacks, and keeps it', async () => {
    const first = await obtain();
    expect(first).toMatchObject({
      ok: true,
      value: {version: '3.13.15', sha256, origin: expect.stringContaining('http://')},
    });
    if (!first.ok) return;
    expect(existsSync(join(first.value.path, 'Include/patchlevel.h'))).toBe(true);
    expect(await obtain()).toEqual(first);
    expect(requests).toBe(1);
    expect(readdirSync(join(cacheDir, 'sources')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('unpacks again when the tree was changed', async () => {
    const first = await obtain();
    if (!first.ok) throw new Error('no source');
    const {path} = first.value;
    const header = join(path, 'Include/patchlevel.h');
    const content = readFileSync(header, 'utf8');
    const attacks = [
      () => {
        writeFileSync(header, content.replace('1', '2'));
      },
      () => {
        writeFileSync(join(path, 'sitecustomize.py'), 'evil');
      },
      () => {
        rmSync(header);
      },
      () => {
        rmSync(header);
        symlinkSync('/etc/passwd', header);
      },
    ];
    for (const attack of attacks) {
      attack();
      expect(await obtain()).toEqual(first);
      expect(readFileSync(header, 'utf8')).toBe(content);
      expect(existsSync(join(path, 'sitecustomize.py'))).toBe(false);
    }
    const before = statSync(header).ctimeMs;
    expect(await obtain()).toEqual(first);
    expect(statSync(header).ctimeMs).toBe(before);
  });

  test('compares a kept archive with the pinned digest', async () => {
    await obtain();
    const sources = join(cacheDir, 'sources');
    const forged = Buffer.from('forged');
    writeFileSync(join(sources, 'Python.tar.gz'), forged);
    const record = readFileSync(join(sources, 'Python-3.13.15.json'), 'utf8');
    const digest = createHash('sha256').update(forged).digest('hex');
    writeFileSync(join(sources, 'Python-3.13.15.json'), record.replace(sha256, digest));
    expect(await obtain()).toMatchObject({ok: true, value: {sha256}});
    expect(log.join('\n')).toContain(`has the sha256 ${digest}, not ${sha256}`);
    expect(requests).toBe(2);
  });

  test('downloads again when others may have written the record', async () => {
    const first = await obtain();
    chmodSync(join(cacheDir, 'sources/Python-3.13.15.json'), 0o666);
    expect(await obtain()).toEqual(first);
    expect(requests).toBe(2);
    expect(await obtain()).toEqual(first);
    expect(requests).toBe(2);
  });

  test('downloads again when the archive was damaged', async () => {
    const first = await obtain();
    appendFileSync(join(cacheDir, 'sources/Python.tar.gz'), 'x');
    expect(await obtain()).toEqual(first);
    expect(requests).toBe(2);
    expect(log.join('\n')).toContain('no longer what was downloaded');
  });

  test('rejects an archive with another digest', async () => {
    const wrong = 'f'.repeat(64);
    expect(await obtain({sha256: wrong})).toMatchObject({
      ok: false,
      failure: {
        code: 'DOWNLOAD',
        hint: expect.stringContaining('--source'),
        details: expect.stringContaining(wrong),
      },
    });
    expect(readdirSync(join(cacheDir, 'sources'))).toEqual([]);
    expect(log[1]).toContain(`has the sha256 ${sha256}, not ${wrong}`);
  });

  test.each(['large', 'endless', 'endless-gzip', 'stalled'])(
    'a server whose answer is %s fills no disk and keeps nobody waiting',
    async (kind) => {
      const {port} = server.address() as AddressInfo;
      const limits = {bytes: 3e6, seconds: 20, stallSeconds: 1, bytesPerSecond: 100};
      const obtained = await obtain({url: `http://127.0.0.1:${port}/${kind}.tar.gz`, limits});
      const why = kind === 'stalled' ? /too slow/i : /is longer than 3 MB/;
      expect(obtained).toMatchObject({failure: {code: 'DOWNLOAD', details: expect.stringMatching(why)}});
      // It is said before other ways are tried.
      expect(log.findIndex((line) => why.test(line))).toBe(1);
      expect(readdirSync(join(cacheDir, 'sources'))).toEqual([]);
    },
  );

  test('fails with the errors of all ways if none works', async () => {
    const {port} = server.address() as AddressInfo;
    expect(await obtain({url: `http://127.0.0.1:${port}/gone.tar.gz`})).toMatchObject({
      ok: false,
      failure: {code: 'DOWNLOAD', details: expect.stringMatching(/404[^]*has no apt/)},
    });
    expect(await obtain({url: 'http://127.0.0.1:1/x.tar.gz'})).toMatchObject({
      ok: false,
      failure: {code: 'DOWNLOAD'},
    });
  });
});

describe('releases', () => {
  test('newestOf returns the exact version, or the newest of a series', () => {
    const versions = ['3.13.9', '3.13.15', '3.14.0rc1', '3.1.2', '3.13.5'];
    expect(newestOf('3.13', versions)).toBe('3.13.15');
    expect(newestOf('3.13.5', versions)).toBe('3.13.5');
    expect(newestOf('3.14.0rc1', versions)).toBe('3.14.0rc1');
    expect(newestOf('3.14', versions)).toBeUndefined();
  });
  test('a pinned release has its address and digest', () => {
    expect(pinnedRelease('3.13.15')).toMatchObject({
      url: 'https://www.python.org/ftp/python/3.13.15/Python-3.13.15.tar.xz',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(pinnedRelease('3.13.14')).toBeUndefined();
  });
});
