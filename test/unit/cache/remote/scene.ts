/** A server that has the results of a machine, and a machine that is about to use them. */
import {afterEach, beforeEach, expect} from '@jest/globals';
import {startCacheServer, type CacheServer} from '../../../support/cache-server.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {actualOutputs, expectedOutputs} from '../../engine/toys.js';
import {buildOn, machine, type Machine, type RemoteBuild} from './rig.js';

export interface Scene {
  folder: string;
  server: CacheServer;
  /** It has the sources of what is on the server, and nothing else. */
  taker: Machine;
}

/** Sets such a scene before each test of a file, and stops its server afterwards. */
export function filledServer(): Scene {
  const scene = {} as Scene;
  beforeEach(async () => {
    const folder = temporaryDirectory();
    const server = await startCacheServer();
    Object.assign(scene, {folder, server, taker: await machine(folder, 'taker')});
    await buildOn(await machine(folder, 'maker'), {url: server.url, upload: true});
    server.requests.length = 0;
  });
  afterEach(async () => {
    await scene.server.stop();
  });
  return scene;
}

/** How long these tests let the cache wait for a server that hangs. */
export const PATIENCE_MS = 300;
/** More than what four actions ask for and upload once. */
const MANY_REQUESTS = 24;

/** Whatever the server does: the build is right, after few requests, and a warning names the server. */
export function expectRight(
  {
    server,
    taker,
  }: {readonly server: {readonly url: string; readonly requests: readonly string[]}; readonly taker: Machine},
  built: RemoteBuild,
): void {
  expect(built.result.ok).toBe(true);
  expect(actualOutputs(taker.toy)).toEqual(expectedOutputs(taker.toy));
  // Each may take as long as the patience of the cache, so this is how long all may take.
  expect(server.requests.length).toBeLessThan(MANY_REQUESTS);
  expect(built.warnings.length).toBeGreaterThan(0);
  expect(built.warnings.length).toBeLessThan(4);
  expect(new Set(built.warnings).size).toBe(built.warnings.length);
  for (const warning of built.warnings) expect(warning).toContain(`the remote cache ${server.url}`);
}
