import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {undecodableArgument} from '../../../../src/cli/args/undecodable.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {PACKAGE} from '../../../../support/rig.js';

const line =
  (...words: readonly (string | Buffer)[]) =>
  (): Buffer =>
    Buffer.concat(words.flatMap((word) => [Buffer.from(word as string), Buffer.from([0])]));
const BAD = Buffer.from([0x61, 0xff, 0x62]);

test('an argument that is not UTF-8 is found, and a replacement character that somebody typed is none', () => {
  expect(undecodableArgument(['x', String(BAD)], line('node', 'x', BAD))).toBe('a\ufffdb');
  expect(undecodableArgument(['x', '\ufffd'], line('node', 'x', '\ufffd'))).toBeUndefined();
  expect(undecodableArgument(['x', 'ä'], line('node', 'x', 'ä'))).toBeUndefined();
  expect(undecodableArgument(['\ufffd'], () => undefined)).toBeUndefined();
});

test('a run with such a path says so, and writes nothing under another name', () => {
  const folder = temporaryDirectory('undecodable');
  const bin = join(PACKAGE, 'bin/flashfreeze.mjs');
  const script = `exec "$0" "$1" cache stats --cache-dir "$(printf 'a\\377b')"`;
  const done = spawnSync('sh', ['-c', script, process.execPath, bin], {cwd: folder, encoding: 'utf8'});
  expect(done).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/error\[USAGE\]: the argument .* is not UTF-8/),
  });
  expect(readdirSync(folder)).toEqual([]);
  // That name can be used.
  execFileSync(process.execPath, [bin, 'cache', 'stats', '--cache-dir', 'a\ufffdb'], {cwd: folder});
  expect(existsSync(join(folder, 'a\ufffdb'))).toBe(true);
});
