import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {CommandRunner} from '../../../src/watch/command-runner.js';
import {eventually, isRunning} from '../../support/processes.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

jest.setTimeout(60_000);
let folder: string;
let said: string[];
let ends: unknown[];
let abort: AbortController;

beforeEach(() => {
  folder = temporaryDirectory('runner');
  said = [];
  ends = [];
  abort = new AbortController();
});
afterEach(() => {
  abort.abort();
});

const runnerOf = (command: string): CommandRunner =>
  new CommandRunner({
    command,
    cwd: folder,
    environment: {PATH: process.env['PATH'] ?? '', WORD: 'word'},
    signal: abort.signal,
    onOutput: (text, stream) => said.push(`${stream}: ${text}`),
    onEnd: (end) => ends.push(end),
  });

async function until(condition: () => boolean): Promise<void> {
  expect(await eventually(condition)).toBe(true);
}

describe('a command', () => {
  test('runs in the shell, in its directory and environment, and reports how it ended', async () => {
    await runnerOf('pwd; echo "$WORD" >&2; exit 3').restart();
    await until(() => ends.length > 0);
    expect(said.sort()).toEqual(['stderr: word', `stdout: ${folder}`]);
    expect(ends).toEqual([{exitCode: 3}]);
  });

  test('the next run ends the one before, with all that it started', async () => {
    const runner = runnerOf('sleep 1000 & echo $!; wait');
    await runner.restart();
    await until(() => said.length === 1);
    const first = said[0]?.split(' ')[1];
    expect(isRunning(Number(first))).toBe(true);
    await runner.restart();
    expect(isRunning(Number(first))).toBe(false);
    await until(() => said.length === 2);
    const second = said[1]?.split(' ')[1];
    expect(isRunning(Number(second))).toBe(true);
    await runner.stop();
    expect(isRunning(Number(second))).toBe(false);
    expect(ends).toEqual([]);
  });

  test('the end of the watch ends it, and none is started afterwards', async () => {
    const runner = runnerOf('echo $$; exec sleep 1000');
    await runner.restart();
    await until(() => said.length === 1);
    abort.abort();
    await until(() => !isRunning(Number(said[0]?.split(' ')[1])));
    await runner.restart();
    await runner.stop();
    expect(said).toHaveLength(1);
    expect(ends).toEqual([]);
  });
});
