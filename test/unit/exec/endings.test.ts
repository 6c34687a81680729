import {type ChildProcess, execFileSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {constants} from 'node:os';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {runScript} from '../../support/scripts.js';
import {ending, eventually, isRunning} from '../../support/processes.js';

// Processes of their own, and files, take their time on a busy machine.
jest.setTimeout(60_000);

let folder: string;
beforeAll(() => {
  folder = temporaryDirectory();
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

/** Waits until a process no longer catches SIGINT: it has handled the first one. */
async function handled({pid}: ChildProcess): Promise<void> {
  const catches = (): boolean => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mask = BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`);
    // Bit 0 stands for signal 1.
    return (mask & (1n << BigInt(constants.signals.SIGINT - 1))) !== 0n;
  };
  expect(await eventually(() => !catches())).toBe(true);
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

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('gets a signal twice: %s', async (signal) => {
    const name = `twice-${signal}`;
    const child = runScript(folder, name, script(''), [`${name}.pids`, 'listen']);
    const pids = await sleepers(`${name}.pids`);
    child.kill(signal);
    // The children ignore the first request, so the first signal alone ends nothing.
    await handled(child);
    expect(isRunning(pids[2] ?? 0)).toBe(true);
    child.kill(signal);
    expect(await ending(child)).toEqual({code: null, signal});
    expect(await eventually(() => pids.every((pid) => !isRunning(pid)))).toBe(true);
  });

  test.each([
    ['computes without end', 'for (;;);'],
    // Opening a FIFO waits for its other end: here a thread of the pool does, for which process.exit() waits, there all of the process.
    ['waits for a file', 'fs.promises.open(fifo).catch(() => undefined); process.exitCode = 130;'],
    [
      'exits while a thread waits for a file',
      'fs.promises.open(fifo); setTimeout(() => process.exit(), 50);',
    ],
    ['waits for a file in a call', 'fs.openSync(fifo);'],
  ])('%s after the first signal, by the second one', async (what, act) => {
    const name = what.replaceAll(/\W/g, '-');
    const fifo = join(folder, `${name}.fifo`);
    execFileSync('mkfifo', [fifo]);
    const afterwards = `
import fs from 'node:fs';
const fifo = ${JSON.stringify(fifo)};
interruption.signal.addEventListener('abort', () => setTimeout(() => { ${act} }, 50));`;
    const child = runScript(folder, name, script(afterwards), [`${name}.pids`, 'listen']);
    const pids = await sleepers(`${name}.pids`);
    child.kill('SIGINT');
    await handled(child);
    // Until it does what it does not come back from.
    await new Promise((wake) => setTimeout(wake, 300));
    child.kill('SIGINT');
    expect(await ending(child)).toEqual({code: null, signal: 'SIGINT'});
    expect(await eventually(() => pids.every((pid) => !isRunning(pid)))).toBe(true);
  });

  test('gets two signals while it computes', async () => {
    const busy = `
import {existsSync as isThere} from 'node:fs';
while (!isThere(pidFile + '.sent'));`;
    const child = runScript(folder, 'busy', script(busy), ['busy.pids', 'listen']);
    const pids = await sleepers('busy.pids');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    writeFileSync(join(folder, 'busy.pids.sent'), '');
    const {code, signal} = await ending(child);
    expect(code).toBeNull();
    expect(['SIGINT', 'SIGTERM']).toContain(signal);
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
