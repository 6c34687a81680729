/** The command line as a program of its own: exit codes, pipes, signals. No CPython is compiled here. */
import {chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {eventually, isRunning} from '../support/processes.js';
import {flashfreeze, flashfreezeJson, PACKAGE, run} from '../../support/rig.js';

let folder: string;
beforeAll(() => {
  folder = temporaryDirectory('command-line');
});

/** Something that passes for a CPython source tree until it is configured. */
function pretendSource(name: string, configure: string): string {
  const source = join(folder, name);
  const files = {
    configure: `#!/bin/sh\n${configure}\n`,
    'Makefile.pre.in': '',
    'Include/patchlevel.h': '#define PY_VERSION "3.13.15"\n',
    'Lib/os.py': '',
    'Programs/python.c': '',
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(source, path)), {recursive: true});
    writeFileSync(join(source, path), text);
  }
  chmodSync(join(source, 'configure'), 0o755);
  return source;
}

describe('the exit code is', () => {
  test('0 for help and version', async () => {
    expect(await flashfreeze(['--version'])).toMatchObject({exitCode: 0, stderr: ''});
    expect(await flashfreeze(['build', '--help'])).toMatchObject({exitCode: 0, stderr: ''});
  });

  test('2 for wrong usage', async () => {
    const {exitCode, stdout, stderr} = await flashfreeze(['build', '--jbos', '3']);
    expect({exitCode, stdout}).toEqual({exitCode: 2, stdout: ''});
    expect(stderr).toBe(
      'flashfreeze: error[USAGE]: unknown option --jbos for build\nhint: did you mean --jobs?\n',
    );
  });

  test('2 for an invalid configuration file', async () => {
    writeFileSync(join(folder, 'flashfreeze.config.json'), '{"jobs": "many"}');
    const {exitCode, summary, stderr} = await flashfreezeJson(['build'], {cwd: folder});
    rmSync(join(folder, 'flashfreeze.config.json'));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^flashfreeze: error\[CONFIG\]: .*flashfreeze\.config\.json: jobs: /);
    expect(summary).toMatchObject({type: 'summary', ok: false, command: 'build'});
  });

  test('1 for a build that fails, with the output of the tool', async () => {
    const source = pretendSource('broken', 'echo checking for luck... no; echo no luck >&2; exit 77');
    const args = ['build', '--source', source, '--build-dir', join(folder, 'broken-build')];
    const {exitCode, stdout, stderr} = await flashfreeze(args);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('checking for luck... no\n');
    expect(stdout).toMatch(/^configure:python {2}failed/m);
    expect(stderr).toMatch(/^flashfreeze: error\[CONFIGURE\]: /m);
    expect(stderr.match(/error\[/g)).toHaveLength(1);
  });
});

test('an interrupted build ends its children, releases the directory, and reports it', async () => {
  const pidFile = join(folder, 'sleeper');
  const source = pretendSource('slow', `sleep 1000 & echo $$ $! > ${pidFile}; echo sleeping; wait`);
  const args = ['build', '--source', source, '--build-dir', join(folder, 'slow-build')];
  let second: Promise<Awaited<ReturnType<typeof flashfreeze>>> | undefined;
  const first = await flashfreezeJson(args, {
    onOutput(child, stdout) {
      if (second !== undefined || !stdout.includes('sleeping')) return;
      second = flashfreeze(args).finally(() => {
        child.kill('SIGINT');
      });
    },
  });
  expect(await second).toMatchObject({exitCode: 4, stdout: ''});
  expect((await second)?.stderr).toMatch(/^flashfreeze: error\[LOCKED\]: .*\nhint: /);
  expect(first.exitCode).toBe(130);
  expect(first.stderr).toMatch(/flashfreeze: error\[INTERRUPTED\]: build was interrupted by SIGINT\n$/);
  expect(first.summary).toMatchObject({type: 'summary', ok: false, command: 'build'});
  const children = readFileSync(pidFile, 'utf8').split(' ').map(Number);
  expect(children).toHaveLength(2);
  expect(await eventually(() => !children.some(isRunning))).toBe(true);
  pretendSource('slow', 'exit 1');
  expect((await flashfreeze(args)).exitCode).toBe(1);
});

test('a reader that closes the pipe early is not an error', async () => {
  const program = `${process.execPath} ${join(PACKAGE, 'bin/flashfreeze.mjs')}`;
  const script = `{ ${program} build --help; echo $? > ${folder}/code; } | true`;
  expect(await run('sh', ['-c', script])).toEqual({exitCode: 0, stdout: '', stderr: ''});
  expect(readFileSync(join(folder, 'code'), 'utf8')).toBe('0\n');
});

test('a checkout that is not built says what to do', async () => {
  const bare = join(folder, 'bare');
  for (const part of ['bin', 'scripts']) cpSync(join(PACKAGE, part), join(bare, part), {recursive: true});
  expect(existsSync(join(bare, 'dist'))).toBe(false);
  const {exitCode, stderr} = await run(process.execPath, [join(bare, 'bin/flashfreeze.mjs'), 'build']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/error\[NOT_BUILT\]: .*\nhint: run "npm run build"/);
});
