/** `snapshot --entry`: an executable that is a program. */
import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {QUICKLY, prepareTree} from '../../support/cpython-trees.js';
import {type Run, flashfreezeJson, run, withoutUsersVariables} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-programs');
const home = join(folder, 'home');
const packages = join(home, '.local/lib/python3.13/site-packages');
const scripts = join(folder, 'scripts');
let source: string;
let buildDir: string;

const environment: Record<string, string | undefined> = {
  ...withoutUsersVariables(),
  HOME: home,
  LANG: 'C.UTF-8',
  LC_ALL: undefined,
};

const TOOL = `import json, os, subprocess, sys
import _flashfreeze

def main():
    if '--state' in sys.argv:
        print(_flashfreeze.info()['snapshot'])
    elif '--fail' in sys.argv:
        raise ValueError('failed')
    elif '--code' in sys.argv:
        return 7
    elif '--words' in sys.argv:
        sys.exit('words')
    elif '--python' in sys.argv:
        print(subprocess.run([sys.executable, '-c', 'import sys; print(sys.argv, sys.path[0])', 'x'], capture_output=True, text=True))
    else:
        main = sys.modules['__main__']
        print(json.dumps([os.path.basename(sys.argv[0]), sys.argv[1:], __name__, main.__name__, sys.path[0] == os.getcwd(), sys.flags.safe_path, len(sys.orig_argv)]))
        print(sys.stdin.read())

class Command:
    @staticmethod
    def run():
        return main()
`;

const SCRIPT = `#!/usr/bin/env python
import sys
import beside
try:
    import tool
except ImportError:
    raise
if __name__ == '__main__':
    import argparse
    print(__file__, sys.path[0], sys.argv, beside.VALUE, 'argparse' in beside.LOADED)
    sys.exit(tool.main())
`;

beforeAll(async () => {
  const tree = await prepareTree('3.13.15');
  source = tree.source;
  buildDir = `${tree.buildDir}-snapshot`;
  for (const each of [packages, scripts]) mkdirSync(each, {recursive: true});
  writeFileSync(join(packages, 'tool.py'), TOOL);
  mkdirSync(join(packages, 'runnable'));
  writeFileSync(join(packages, 'runnable', '__init__.py'), '');
  writeFileSync(
    join(packages, 'runnable', '__main__.py'),
    'from .inner import run\nif __name__ == "__main__":\n    run()\n',
  );
  writeFileSync(
    join(packages, 'runnable', 'inner.py'),
    'import sys\nimport tool\n\ndef run():\n    print(sys.argv, sys.modules["__main__"].__spec__.name)\n    sys.exit(tool.main())\n',
  );
  writeFileSync(join(scripts, 'beside.py'), 'import sys\nVALUE = 5\nLOADED = list(sys.modules)\n');
  writeFileSync(join(scripts, 'script.py'), SCRIPT);
});

async function build(name: string, entry: string, ...words: readonly string[]): Promise<string> {
  const out = join(folder, 'bin', name);
  const {summary, stderr} = await flashfreezeJson(
    [
      ...['snapshot', '--source', source, '--build-dir', buildDir, '--out', out, '--entry', entry],
      ...[`--configure-arg=${QUICKLY}`, ...words],
    ],
    {environment, cwd: folder},
  );
  if (!summary.ok) throw new Error(stderr);
  return out;
}

function start(file: string, args: readonly string[], more: Record<string, string> = {}): Promise<Run> {
  return run(file, args, {cwd: folder, environment: {...environment, ...more}, input: 'input'});
}

/** The same program twice: from its snapshot, and as an ordinary start. */
async function bothWays(out: string, args: readonly string[]): Promise<Run> {
  const ordinary = await start(out, args, {FLASHFREEZE: 'no-snapshot'});
  expect(await start(out, args)).toEqual(ordinary);
  return ordinary;
}

describe('a function', () => {
  test('is the program: its arguments, its name, its end', async () => {
    const out = await build('tool', 'tool:main');
    expect(await start(out, ['--state'])).toMatchObject({exitCode: 0, stdout: 'restored\n', stderr: ''});
    expect(await start(out, ['--state'], {FLASHFREEZE: 'no-snapshot'})).toMatchObject({
      stdout: 'FLASHFREEZE is set\n',
    });
    const plain = await bothWays(out, ['-c', '-h', '-X', 'a b', '--', '-']);
    expect(plain).toMatchObject({exitCode: 0, stderr: ''});
    expect(plain.stdout).toBe(
      '["tool", ["-c", "-h", "-X", "a b", "--", "-"], "tool", "__main__", false, false, 9]\ninput\n',
    );
    expect(await bothWays(out, ['--code'])).toMatchObject({exitCode: 7});
    expect(await bothWays(out, ['--words'])).toMatchObject({exitCode: 1, stderr: 'words\n'});
    const failed = await bothWays(out, ['--fail']);
    expect(failed).toMatchObject({exitCode: 1});
    expect(failed.stderr).toContain('ValueError: failed');
    // sys.executable is a Python, whose arguments are a Python's.
    const child = await bothWays(out, ['--python']);
    expect(child.stdout).toContain(String.raw`stdout="['-c', 'x'] \n"`);
    const link = join(folder, 'renamed');
    symlinkSync(out, link);
    expect((await start(link, ['--state'])).stdout).toBe('restored\n');
    expect((await bothWays(link, [])).stdout).toContain('["renamed", [], ');
  });

  test('may be an attribute of a class', async () => {
    const out = await build('command', 'tool:Command.run');
    expect(await bothWays(out, ['--code'])).toMatchObject({exitCode: 7});
  });

  test('that is not there is an error of the build', async () => {
    await expect(build('missing', 'tool:missing')).rejects.toThrow(/cannot import name 'missing'/);
  });

  test('works without a snapshot, too', async () => {
    const out = await build('plain', 'tool:main', '--snapshot=false');
    expect(await start(out, ['--state'])).toMatchObject({exitCode: 0, stdout: 'there is none\n'});
    expect(await start(out, ['--code'])).toMatchObject({exitCode: 7});
  });
});

test('a package runs as python -m runs it', async () => {
  const out = await build('runnable', 'runnable');
  expect((await start(out, ['--state'])).stdout).toContain('restored');
  const done = await bothWays(out, ['-m', 'x']);
  expect(done).toMatchObject({exitCode: 0, stderr: ''});
  expect(done.stdout).toContain(
    `['${join(packages, 'runnable', '__main__.py')}', '-m', 'x'] runnable.__main__`,
  );
  expect(await bothWays(out, ['--code'])).toMatchObject({exitCode: 7});
});

test('a module of the standard library runs as python -m runs it', async () => {
  const out = await build('json-tool', 'json.tool');
  const done = await bothWays(out, ['--compact']);
  expect(done.exitCode).toBe(1);
  expect(done.stderr).not.toContain('RuntimeWarning');
});

test('a script runs as python runs it, with what lies beside it', async () => {
  const out = await build('script', 'scripts/script.py');
  const done = await bothWays(out, ['--code']);
  expect(done).toMatchObject({exitCode: 7, stderr: ''});
  expect(done.stdout).toBe(`${join(scripts, 'script.py')} ${scripts} ['${out}', '--code'] 5 False\n`);
  expect((await start(out, ['--state'])).stdout).toContain('restored\n');
});

test('functions of the program run before the snapshot and after a restore, in order', async () => {
  writeFileSync(
    join(packages, 'hooked.py'),
    `import _flashfreeze, sys
done = []
file = open(__file__)
@_flashfreeze.before_snapshot
def close(): done.append('close'); file.close()
_flashfreeze.before_snapshot(lambda: done.append('first'))
_flashfreeze.after_restore(lambda: done.append('restored'))
@_flashfreeze.after_restore
def last():
    if '--raise' in sys.argv: raise ValueError('from a hook')
    done.append('last')
def main(): print(done)
`,
  );
  const out = await build('hooked', 'hooked:main');
  const restored = `['first', 'close', 'restored', 'last']\n`;
  expect(await start(out, [])).toMatchObject({exitCode: 0, stdout: restored, stderr: ''});
  expect(await start(out, [], {FLASHFREEZE: 'no-snapshot'})).toMatchObject({exitCode: 0, stdout: '[]\n'});
  const failed = await start(out, ['--raise']);
  expect(failed).toMatchObject({exitCode: 1, stdout: ''});
  expect(failed.stderr).toContain('ValueError: from a hook');
});
