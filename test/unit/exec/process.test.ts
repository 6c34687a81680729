import {chmodSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, jest, test} from '@jest/globals';
import {runProcess, type ProcessSpec} from '../../../src/exec/process.js';
import {holdTime} from '../../support/fake-time.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {eventually, isRunning} from '../../support/processes.js';

// Processes of their own, and files, take their time on a busy machine.
jest.setTimeout(60_000);

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

function shell(script: string, extra: Partial<ProcessSpec> = {}): ProcessSpec {
  const environment = {PATH: process.env['PATH'] ?? ''};
  const signal = new AbortController().signal;
  return {file: 'sh', args: ['-c', script], cwd: folder, environment, signal, ...extra};
}

/** The process ids that a script wrote, one a line. */
function pids(file: string): number[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number) : [];
}

describe('a process that runs to its end', () => {
  test('returns its output and its exit code', async () => {
    const result = await runProcess(shell('echo out; echo err >&2; exit 3'));
    expect(result).toEqual({ok: true, value: {stdout: 'out\n', stderr: 'err\n', exitCode: 3}});
  });

  test('gets the declared environment and nothing else', async () => {
    process.env['PYTHONPATH_OF_THE_USER'] = 'leak';
    const result = await runProcess(shell('env', {environment: {PATH: process.env['PATH'] ?? '', A: 'b'}}));
    delete process.env['PYTHONPATH_OF_THE_USER'];
    const names = result.ok ? result.value.stdout.split('\n').map((line) => line.split('=')[0]) : [];
    expect(names).toContain('A');
    expect(
      names.filter((name) => !['A', 'PATH', 'PWD', 'SHLVL', 'OLDPWD', '_', ''].includes(name ?? '')),
    ).toEqual([]);
  });

  test('reads its input, and nothing when there is none', async () => {
    const echoed = await runProcess(shell('cat', {input: 'hello'}));
    const empty = await runProcess(shell('cat'));
    expect([echoed, empty].map((result) => result.ok && result.value.stdout)).toEqual(['hello', '']);
  });

  test('does not fail when it leaves its input unread', async () => {
    const result = await runProcess(shell('exit 0', {input: 'x'.repeat(1 << 20)}));
    expect(result).toMatchObject({ok: true, value: {exitCode: 0}});
  });

  test('passes on whole lines as they come', async () => {
    const lines: string[] = [];
    const script = 'printf "on"; sleep 0.05; printf "e\\ntw"; sleep 0.05; printf "o"; echo E >&2';
    await runProcess(
      shell(script, {
        onOutput: (text, stream) => lines.push(...text.split('\n').map((l) => `${stream}:${l}`)),
      }),
    );
    expect(lines.sort()).toEqual(['stderr:E', 'stdout:one', 'stdout:two']);
  });

  test('keeps head and tail of long output', async () => {
    const result = await runProcess(shell('echo first; seq 1 100000; echo last', {maxOutputBytes: 1000}));
    const text = result.ok ? result.value.stdout : '';
    expect(text).toMatch(/^first\n1\n/);
    expect(text).toMatch(/\n\[\d+ bytes left out\]\n/);
    expect(text).toMatch(/\n100000\nlast\n$/);
    expect(text.length).toBeLessThan(1100);
  });

  test('ends the processes that it left running', async () => {
    const result = await runProcess(shell('sleep 100 >/dev/null 2>&1 & echo $! > left; exit 0'));
    expect(result.ok).toBe(true);
    const [left] = pids(join(folder, 'left'));
    expect(left).toBeGreaterThan(0);
    expect(await eventually(() => !isRunning(left ?? 0))).toBe(true);
  });

  test('does not wait for processes that it left running with the output still open', async () => {
    const result = await runProcess(shell('sleep 100 & echo $! > left; echo done; exit 0'));
    expect(result).toMatchObject({ok: true, value: {stdout: 'done\n', exitCode: 0}});
    const [left] = pids(join(folder, 'left'));
    expect(await eventually(() => !isRunning(left ?? 0))).toBe(true);
  });
});

describe('a process that is ended', () => {
  test('by abort takes its whole group with it', async () => {
    const controller = new AbortController();
    const script = 'sleep 100 & echo $! >> pids; sleep 100 & echo $! >> pids; echo $$ >> pids; wait';
    const running = runProcess(shell(script, {signal: controller.signal}));
    expect(await eventually(() => pids(join(folder, 'pids')).length === 3)).toBe(true);
    controller.abort();
    expect(await running).toMatchObject({
      ok: false,
      failure: {code: 'INTERRUPTED', message: 'sh was interrupted'},
    });
    expect(await eventually(() => pids(join(folder, 'pids')).every((pid) => !isRunning(pid)))).toBe(true);
  });

  test('by abort lets every process of its group end regularly', async () => {
    const controller = new AbortController();
    const inner = '(trap "echo bye > bye; exit" TERM; echo ready > pids; sleep 100 & wait) & wait';
    const running = runProcess(shell(inner, {signal: controller.signal}));
    expect(await eventually(() => existsSync(join(folder, 'pids')))).toBe(true);
    controller.abort();
    await running;
    expect(existsSync(join(folder, 'bye'))).toBe(true);
  });

  test('by abort is killed when it ignores the request', async () => {
    const controller = new AbortController();
    const script = 'trap "" TERM; echo $$ > pids; while :; do sleep 0.05; done';
    const running = runProcess(shell(script, {signal: controller.signal, killDelayMs: 50}));
    expect(await eventually(() => pids(join(folder, 'pids')).length === 1)).toBe(true);
    controller.abort();
    expect(await running).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
    expect(await eventually(() => pids(join(folder, 'pids')).every((pid) => !isRunning(pid)))).toBe(true);
  });

  test('before it begins is not started', async () => {
    const result = await runProcess(shell('touch started', {signal: AbortSignal.abort()}));
    expect(result).toMatchObject({ok: false, failure: {code: 'INTERRUPTED'}});
    expect(existsSync(join(folder, 'started'))).toBe(false);
  });

  test('by a time-out is a failure that says so', async () => {
    holdTime('setTimeout', 'clearTimeout');
    const result = await runProcess(
      shell('echo busy >&2; sleep 100', {
        timeoutMs: 200,
        onOutput: () => {
          jest.advanceTimersByTime(200);
        },
      }),
    );
    expect(result).toMatchObject({
      ok: false,
      failure: {code: 'PROCESS', message: 'sh did not end within 0.2 s and was stopped', details: 'busy'},
    });
  });

  test('by a signal of its own is a failure that names it', async () => {
    const result = await runProcess(shell('echo why >&2; kill -SEGV $$'));
    expect(result).toMatchObject({
      ok: false,
      failure: {code: 'PROCESS', message: 'sh was killed by SIGSEGV', details: 'why'},
    });
  });
});

describe('a process that cannot be started', () => {
  test('because there is no such program', async () => {
    const result = await runProcess(shell('', {file: 'no-such-program'}));
    expect(result).toMatchObject({
      ok: false,
      failure: {code: 'NO_TOOL', message: 'no-such-program: command not found'},
    });
  });

  test('because it may not be executed', async () => {
    const file = join(folder, 'plain');
    writeFileSync(file, 'text');
    chmodSync(file, 0o644);
    const result = await runProcess(shell('', {file}));
    expect(result).toMatchObject({ok: false, failure: {code: 'PROCESS'}});
    expect(result.ok ? '' : result.failure.message).toContain(`cannot start ${file}`);
  });

  test('because its directory is not there', async () => {
    const cwd = join(folder, 'nowhere');
    const result = await runProcess(shell('true', {cwd}));
    const message = `cannot start sh in ${cwd}: not a directory`;
    expect(result).toMatchObject({ok: false, failure: {code: 'PROCESS', message}});
  });

  test('because an argument holds a NUL byte', async () => {
    const result = await runProcess(shell('', {args: ['a\0b']}));
    expect(result).toMatchObject({ok: false, failure: {code: 'PROCESS'}});
  });
});
