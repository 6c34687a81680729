/** The root with the newer Pythons (support/debian-root.sh): whoever tests in it can rely on this. */
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {NEWER_SERIES, newerDebianRoot, type RootOptions, runInRoot} from '../../support/debian-root.js';
import {eventually} from '../support/processes.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

const root = await newerDebianRoot(); // says why, where it cannot be had
const folder = temporaryDirectory('root');

async function run(
  argv: readonly string[],
  options?: RootOptions,
): Promise<{exitCode: number; text: string}> {
  const done = await runInRoot(root ?? '', argv, options);
  if (!done.ok) throw new Error(done.failure.message);
  return {exitCode: done.value.exitCode, text: (done.value.stdout + done.value.stderr).trim()};
}

describeWith(root, 'a newer Debian')('the root of a newer Debian', () => {
  test.each(NEWER_SERIES)(
    'Python %s is whole: standard library, headers, test suite, venv',
    async (series) => {
      const code = `import sys, sysconfig, os, test.libregrtest, asyncio, ensurepip
print("%d.%d" % sys.version_info[:2], os.path.exists(sysconfig.get_path("include") + "/internal/pycore_code.h"))`;
      expect(await run([`/usr/bin/python${series}`, '-c', code])).toEqual({
        exitCode: 0,
        text: `${series} True`,
      });
    },
  );

  test('this machine’s node runs there, and sees the directories given to it', async () => {
    writeFileSync(
      join(folder, 'script.mjs'),
      'console.log(process.version, process.cwd(), process.env.WORD)',
    );
    const options: RootOptions = {binds: {[folder]: 'read'}, environment: {WORD: 'two words'}, cwd: folder};
    expect(await run(['node', 'script.mjs'], options)).toEqual({
      exitCode: 0,
      text: `${process.version} ${folder} two words`,
    });
    expect((await run(['touch', join(folder, 'x')], options)).exitCode).toBe(1);
  });

  test('the root itself does not change; directories given for writing do', async () => {
    const command = `mktemp && ! touch /usr/new 2>/dev/null && echo written > ${folder}/answer`;
    const {exitCode, text: scratch} = await run(['sh', '-c', command], {binds: {[folder]: 'write'}});
    expect(exitCode).toBe(0);
    expect(readFileSync(join(folder, 'answer'), 'utf8')).toBe('written\n');
    expect(existsSync(join(root ?? '', scratch))).toBe(false);
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(root);
  });

  test('exit codes, signals and commands that cannot run', async () => {
    expect((await run(['sh', '-c', 'exit 7'])).exitCode).toBe(7);
    expect((await run(['python3.15', '-c', 'import os; os.kill(os.getpid(), 15)'])).exitCode).toBe(128 + 15);
    expect((await run(['true'], {binds: {'/no/such/folder': 'read'}})).exitCode).toBe(125);
    expect((await run(['no-such-command'])).exitCode).toBe(127);
  });

  test('processes that a command leaves running end with it, and when it is stopped', async () => {
    const leave = await run(['sh', '-c', 'setsid sleep 4321 >/dev/null 2>&1 & echo left']);
    expect(leave.text).toBe('left');
    const stopped = await runInRoot(root ?? '', ['setsid', 'sleep', '4321'], {timeoutMs: 1000});
    expect(stopped).toMatchObject({ok: false, failure: {code: 'PROCESS'}});
    const running = (): string => execFileSync('ps', ['-e', '-o', 'args'], {encoding: 'utf8'});
    expect(await eventually(() => !running().includes('sleep 4321'))).toBe(true);
  });
});

test('where no root is available, the reason is reported', () => {
  // Nobody but root, on this PATH.
  const answers = {cat: '', uname: 'Linux', id: '1000'};
  for (const [tool, answer] of Object.entries(answers)) {
    writeFileSync(join(folder, tool), `#!/bin/sh\necho ${answer}\n`, {mode: 0o755});
  }
  const script = join(import.meta.dirname, '../../support/debian-root.sh');
  const said = spawnSync('/bin/sh', [script, 'forky-root'], {
    env: {PATH: folder, FLASHFREEZE_TEST_CACHE: join(folder, 'empty')},
    encoding: 'utf8',
  });
  expect(said.status).toBe(1);
  expect(said.stderr).toBe('no forky-root (Debian forky): it takes root to build one\n');
});
