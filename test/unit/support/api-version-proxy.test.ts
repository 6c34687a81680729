import {connect} from 'node:http2';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {type Proxy, startProxy} from '../../support/api-version-proxy.js';
import {frameOf, type GrpcCacheServer, startGrpcCacheServer} from '../../support/grpc-cache-server.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {buildOn, machine} from '../cache/remote/rig.js';

let server: GrpcCacheServer;
let proxy: Proxy;
beforeEach(async () => {
  server = await startGrpcCacheServer();
  proxy = await startProxy(server.url);
});
afterEach(async () => {
  await proxy.stop();
  await server.stop();
});

test('passes calls on, misses and contents alike, and counts them', async () => {
  const folder = temporaryDirectory();
  const made = await buildOn(await machine(folder, 'maker'), {url: proxy.url, upload: true});
  expect([made.counts['executed'], made.warnings]).toEqual([4, []]);
  const taken = await buildOn(await machine(folder, 'taker'), {url: proxy.url});
  expect([taken.counts['remote'], taken.warnings]).toEqual([4, []]);
  expect(proxy.traffic.get('UpdateActionResult')?.calls).toBe(4);
  expect(proxy.traffic.get('BatchReadBlobs')?.received).toBeGreaterThan(0);
});

test('states a lowest version of 2.0', async () => {
  const session = connect(proxy.url.replace('grpc:', 'http:'));
  const body = await new Promise<Buffer>((done, fail) => {
    const request = session.request({
      ':method': 'POST',
      ':path': '/build.bazel.remote.execution.v2.Capabilities/GetCapabilities',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      done(Buffer.concat(chunks));
    });
    request.on('error', fail);
    request.end(frameOf(Buffer.of()));
  });
  session.close();
  expect(body.readUInt32BE(1)).toBe(body.length - 5);
  expect(body.subarray(-6)).toEqual(Buffer.from([0x22, 4, 8, 2, 0x10, 0]));
});
