import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {compileRooms, runScript} from '../../support/compiled-rooms.js';
import {ending, eventually, isRunning} from '../../support/processes.js';

// Processes of their own, and files, take their time on a busy machine.
jest.setTimeout(60_000);

let folder: string;
beforeAll(() => {
  folder = temporaryDirectory();
  compileRooms(folder);
});

/** A program that runs a shell with two sleepers, and does what `extra` says once they sleep. */
const script = (extra: string): string => `
import {existsSync, writeFileSync} from 'node:fs';
import {runProcess} from './exec/process.js';
import {abortOnSignals} from './exec/signals.js';
const [pidFile, listen] = process.argv.slice(2);
const interruption = listen === 'listen' ? abortOnSignals() : undefined;
const result = runProcess({
  file: 'sh',
  args: ['-c', (listen === 'listen' ? 'trap "" TERM; ' : '') +
    'sleep 100 & echo $! > $0.new; sleep 100 & echo $! >> $0.new; echo $$ >> $0.new; mv $0.new $0; wait; wait; sleep 100', pidFile],
  cwd: '.',
  environment: {PATH: process.env.PATH},
  signal: interruption?.signal ?? new AbortController().signal,
  killDelayMs: 60000,
});
while (!existsSync(pidFile)) await new Promise((wake) => setTimeout(wake, 5));
writeFileSync(pidFile + '.ready', '');
${extra}
console.log(JSON.stringify(await result));
`;

async function sleepers(name: string): Promise<number[]> {
  const file = join(folder, name);
  expect(await eventually(() => existsSync(`${file}.ready`))).toBe(true);
  const pids = readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
  expect(pids).toHaveLength(3);
  return pids;
}

describe('no child outlives a process that', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)('is ended by %s', async (signal) => {
    const child = runScript(folder, signal, script(''), [`${signal}.pids`]);
    const pids = await sleepers(`${signal}.pids`);
    child.kill(signal);
    expect(await ending(child)).toEqual({code: null, signal});
    expect(await eventually(() => pids.every((pid) => !isRunning(pid)))).toBe(true);
  });

  test('exits in the middle', async () => {
    const child = runScript(folder, 'exit', script('process.exit(7);'), ['exit.pids']);
    const pids = await sleepers('exit.pids');
    expect(await ending(child)).toEqual({code: 7, signal: null});
    expect(await eventually(() => pids.every((pid) => !isRunning(pid)))).toBe(true);
  });

  test('crashes', async () => {
    const crash = 'setImmediate(() => { throw new Error("crash"); });';
    const child = runScript(folder, 'crash', script(crash), ['crash.pids']);
    const pids = await sleepers('crash.pids');
    expect((await ending(child)).code).not.toBe(0);
    expect(await eventually(() => pids.every((pid) => !isRunning(pid)))).toBe(true);
  });

  test('is told to stop twice', async () => {
    const child = runScript(folder, 'twice', script(''), ['twice.pids', 'listen']);
    const pids = await sleepers('twice.pids');
    child.kill('SIGINT');
    // The children ignore the first request, so the first signal alone ends nothing.
    expect(await eventually(() => isRunning(pids[2] ?? 0))).toBe(true);
    await new Promise((wake) => setTimeout(wake, 100));
    child.kill('SIGINT');
    expect(await ending(child)).toEqual({code: 130, signal: null});
    expect(await eventually(() => pids.every((pid) => !isRunning(pid)))).toBe(true);
  });
});

test('many processes share one signal without a warning', async () => {
  const many = `
import {runProcess} from './exec/process.js';
const warnings = [];
process.on('warning', (warning) => warnings.push(warning.message));
const {signal} = new AbortController();
const one = () => runProcess({file: 'true', args: [], cwd: '.', environment: {PATH: process.env.PATH}, signal});
const results = await Promise.all(Array.from({length: 16}, one));
await new Promise((wake) => setTimeout(wake, 10));
console.log(JSON.stringify({ok: results.every((result) => result.ok), warnings}));
`;
  const child = runScript(folder, 'many', many);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await ending(child);
  expect(await eventually(() => output.endsWith('\n'))).toBe(true);
  expect(JSON.parse(output)).toEqual({ok: true, warnings: []});
});
