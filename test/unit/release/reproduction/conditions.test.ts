import {execFileSync} from 'node:child_process';
import {mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {userInfo} from 'node:os';
import {join} from 'node:path';
import {beforeAll, expect, test} from '@jest/globals';
import {
  clockWrappers,
  mountDisordered,
  namespaceCommand,
} from '../../../../src/release/reproduction/conditions.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const environment = {PATH: process.env['PATH'] ?? ''};
const run = {environment, signal: new AbortController().signal};
const ahead = 400 * 86_400;
let folder = '';
beforeAll(() => {
  folder = temporaryDirectory('conditions');
});

test('programs of a build and their children see another time; files keep theirs', async () => {
  const clock = (await clockWrappers(join(folder, 'clock'), ahead, run)) ?? '';
  const varied = {...environment, PATH: `${clock}:${environment.PATH}`};
  const told = (command: string, where: NodeJS.ProcessEnv): number =>
    Number(execFileSync('sh', ['-c', command], {env: where, cwd: folder}).toString());
  const now = Date.now() / 1000;
  expect(Math.abs(told('date +%s', varied) - now - ahead)).toBeLessThan(5);
  expect(Math.abs(told('date +%s', environment) - now)).toBeLessThan(5);
  // __TIME__ and __DATE__ of GCC come from time().
  writeFileSync(join(folder, 'date.c'), 'int year = __DATE__;\n');
  const year = (where: NodeJS.ProcessEnv): string =>
    /"... .. (\d+)"/.exec(execFileSync('gcc', ['-E', 'date.c'], {env: where, cwd: folder}).toString())?.[1] ??
    '';
  expect(Number(year(varied)) - Number(year(environment))).toBeGreaterThanOrEqual(1);
  expect(Math.abs(told('touch made; stat -c %Y made', varied) - now)).toBeLessThan(5);
});

test('another user and host name, where the kernel has namespaces', async () => {
  const [file = '', ...args] = (await namespaceCommand(run)) ?? ['env'];
  const ask = (...words: string[]): string =>
    execFileSync(file, [...args, ...words], {env: environment})
      .toString()
      .trim();
  if (file === 'env') return;
  expect([ask('id', '-u'), ask('hostname')]).toEqual(['4242', 'elsewhere']);
  expect(userInfo().uid).not.toBe(4242);
});

test('a directory lists the same files in another order, where there is disorderfs', async () => {
  const source = join(folder, 'source');
  mkdirSync(source);
  const names = Array.from({length: 40}, (_, i) => `file-${i}`).sort();
  for (const name of names) writeFileSync(join(source, name), name);
  const mounted = await mountDisordered(source, join(folder, 'mounted'), run);
  if (mounted === undefined) return;
  try {
    const orders = Array.from({length: 3}, () =>
      execFileSync('ls', ['-U', mounted.path], {env: environment}).toString().trim().split('\n'),
    );
    expect(orders.map((order) => [...order].sort())).toEqual([names, names, names]);
    expect(new Set(orders.map(String)).size).toBeGreaterThan(1);
  } finally {
    await mounted.unmount();
  }
  expect(readdirSync(mounted.path)).toEqual([]);
});
