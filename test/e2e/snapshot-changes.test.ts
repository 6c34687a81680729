/** What a snapshot depends on: builds, `watch`, `doctor`, `verify` and `explain` see the same. */
import {
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {readHeader, readRuns} from '../../src/hosts/snapshot/dump-format.js';
import {contentsOf} from '../../src/hosts/snapshot/snapshot-contents.js';
import {flashfreeze, flashfreezeJson, type JsonEvent, type JsonRun} from '../../support/rig.js';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {startWatching} from '../support/watching.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-changes');
let rig: SnapshotRig;
const data = join(folder, 'data.txt');
const plugins = join(folder, 'plugins');
const TELL = `import reader; print(reader.text, reader.names, reader.mode); ${STATE}`;

const build = (
  variables: Readonly<Record<string, string>> = {},
  words: readonly string[] = [],
): Promise<JsonRun> => rig.buildWith(variables, '--trace', '-c "import reader, uses, asyncio"', ...words);

async function told(variables: Readonly<Record<string, string>> = {}): Promise<string> {
  return rig.stateOf(rig.out, ['-c', TELL], {environment: variables});
}

/** The reason that `explain` has for the last snapshot. */
async function explained(): Promise<string> {
  return (
    await flashfreeze(['explain', 'snapshot:python', '--build-dir', rig.buildDir], {
      environment: rig.environment,
    })
  ).stdout;
}

beforeAll(async () => {
  rig = await snapshotRig(folder);
  mkdirSync(plugins);
  writeFileSync(join(plugins, 'a'), '');
  writeFileSync(data, 'one');
  writeFileSync(
    join(rig.packages, 'reader.py'),
    `import os\ntext = open(${JSON.stringify(data)}).read()\nnames = sorted(os.listdir(${JSON.stringify(plugins)}))\nmode = os.environ.get("READER_MODE")\n`,
  );
  writeFileSync(join(rig.packages, 'stopwatch.py'), 'import time\n\nSTARTED = time.time() + 1\n');
  writeFileSync(join(rig.packages, 'uses.py'), 'import stopwatch\n');
  const {summary, stderr} = await build();
  if (!summary.ok) throw new Error(stderr);
});

test('a build without changes makes no snapshot', async () => {
  expect(await told()).toBe("one ['a'] None\nrestored");
  expect((await build()).summary).toMatchObject({ok: true, executed: []});
});

describe('doctor', () => {
  test('names what is in a snapshot, what is left out, and what a start compares', async () => {
    const {exitCode, stdout} = await flashfreeze(['doctor', rig.out], {
      environment: rig.environment,
      cwd: folder,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^snapshot: \d+ modules, [\d.]+ MB, made for \S+\/bin\/python, used by a start here$/m,
    );
    expect(stdout).toMatch(/a start compares: .*variables: .*READER_MODE.*; \d+ files and directories$/m);
    expect(stdout).toMatch(
      /stopwatch \(\S+stopwatch\.py:3\): it reads a clock \(time\.time\): STARTED has another value/,
    );
    expect(stdout).toMatch(/and what imports them: uses$/m);
  });

  test('says why a start is an ordinary one, and which file has changed', async () => {
    const variables = {...rig.environment, READER_MODE: 'x'};
    const {events} = await flashfreezeJson(['doctor', rig.out], {environment: variables, cwd: folder});
    const record = events.find(({type}) => type === 'snapshot');
    expect(record).toMatchObject({
      state: 'an environment variable that imports read has another value',
      changed: [],
      leftOut: [expect.objectContaining({module: 'stopwatch'})],
      importers: ['uses'],
    });
    expect(record?.['modules']).toEqual(expect.arrayContaining(['reader', 'asyncio']));
    expect(record?.['modules']).not.toContain('uses');
    const {mtime, atime} = statSync(data);
    writeFileSync(data, 'other');
    const stale = await flashfreezeJson(['doctor', rig.out], {environment: rig.environment, cwd: folder});
    expect(stale.events.find(({type}) => type === 'snapshot')).toMatchObject({changed: [data]});
    writeFileSync(data, 'one');
    utimesSync(data, atime, mtime);
  });
});

describe('a new snapshot is made, and an earlier one used again, after', () => {
  beforeAll(async () => {
    await build();
  });

  test('an edit of a file that an import reads, and of its old content', async () => {
    writeFileSync(data, 'two');
    const edited = await build();
    expect(edited.summary).toMatchObject({ok: true, executed: expect.arrayContaining(['snapshot:python'])});
    expect(await told()).toBe("two ['a'] None\nrestored");
    expect(await explained()).toContain(`${data} changed`);
    writeFileSync(data, 'one');
    const back = await build();
    expect(back.summary).toMatchObject({ok: true, executed: expect.arrayContaining(['snapshot:python'])});
    expect(JSON.stringify(back.events)).toContain('a snapshot of an earlier build');
    expect(await told()).toBe("one ['a'] None\nrestored");
  });

  test('another value of a variable', async () => {
    const other = await build({READER_MODE: 'x'});
    expect(other.summary).toMatchObject({ok: true, executed: expect.arrayContaining(['snapshot:python'])});
    expect(await told({READER_MODE: 'x'})).toBe("one ['a'] x\nrestored");
    expect(await explained()).toContain('environment variable READER_MODE has another value');
    const back = await build();
    expect(JSON.stringify(back.events)).toContain('a snapshot of an earlier build');
    expect(await told()).toBe("one ['a'] None\nrestored");
  });

  test('a name that is new in a directory that an import lists', async () => {
    writeFileSync(join(plugins, 'b'), '');
    expect((await build()).summary).toMatchObject({
      ok: true,
      executed: expect.arrayContaining(['snapshot:python']),
    });
    expect(await told()).toBe("one ['a', 'b'] None\nrestored");
    rmSync(join(plugins, 'b'));
    const back = await build();
    expect(JSON.stringify(back.events)).toContain('a snapshot of an earlier build');
    expect(await told()).toBe("one ['a'] None\nrestored");
  });
});

const failureOf = (events: readonly JsonEvent[]): unknown =>
  events.find(({type}) => type === 'error')?.['failure'];

describe('verify', () => {
  const verify = () =>
    flashfreezeJson(['verify', '--images', rig.out, '--hash-seed', '0'], {
      environment: rig.environment,
      cwd: folder,
    });

  test('says that a snapshot is the one that was proved', async () => {
    const {summary, events} = await verify();
    expect(failureOf(events)).toBeUndefined();
    expect(events.find(({type}) => type === 'snapshot')).toMatchObject({
      problem: null,
      details: [],
      // How often Python allocates depends on addresses (Objects/typeobject.c, the cache of attributes): then it cannot be compared.
      again: expect.stringMatching(/^(equal|Python allocates \d+ times here, not \d+ times)$/),
    });
    expect(summary).toMatchObject({ok: true});
  });

  test('finds a byte of memory that is another', async () => {
    const file = realpathSync(rig.out);
    const executable = readFileSync(file);
    const read = contentsOf(executable);
    if (!read.ok || read.value.snapshot === undefined) throw new Error('no snapshot');
    const {bytes} = read.value.snapshot;
    const header = readHeader(bytes);
    const run = header.ok ? readRuns(bytes, header.value).at(-1) : undefined;
    if (run === undefined) throw new Error('no memory');
    const at = bytes.byteOffset - executable.byteOffset + run.offset + run.size - 8;
    const {atime, mtime} = statSync(file);
    const put = (byte: number): void => {
      const handle = openSync(file, 'r+');
      writeSync(handle, Buffer.from([byte]), 0, 1, at);
      closeSync(handle);
      utimesSync(file, atime, mtime);
    };
    const old = executable[at] ?? 0;
    put(old ^ 0xff);
    try {
      const {summary, events} = await verify();
      expect(summary).toMatchObject({ok: false});
      expect(failureOf(events)).toMatchObject({
        code: 'VERIFY',
        message: expect.stringContaining('its memory was changed'),
      });
    } finally {
      put(old);
    }
    expect((await verify()).summary).toMatchObject({ok: true});
  });

  test('names files that have changed', async () => {
    writeFileSync(data, 'three');
    const {events} = await verify();
    expect(failureOf(events)).toMatchObject({
      code: 'VERIFY',
      message: expect.stringContaining('files that its imports read have changed'),
      details: data,
    });
    writeFileSync(data, 'one');
    await build();
    expect((await verify()).summary).toMatchObject({ok: true});
  });
});

describe('what sys.path depends on', () => {
  test.each([
    ['a .pth file', () => join(rig.packages, 'more.pth'), `${plugins}\n`, `${folder}\n`],
    [
      'pyvenv.cfg',
      () => join(folder, 'bin', 'pyvenv.cfg'),
      undefined,
      'include-system-site-packages = true\n',
    ],
  ])('%s that is another one means an ordinary start', async (_, place, before, after) => {
    const path = place();
    if (before !== undefined) writeFileSync(path, before);
    await build();
    expect(await told()).toBe("one ['a'] None\nrestored");
    writeFileSync(path, after);
    try {
      expect(await rig.stateOf()).toBe('a file that imports read has changed');
    } finally {
      rmSync(path);
    }
    await build();
    expect(await told()).toBe("one ['a'] None\nrestored");
  });
});

describe('two output paths of one build directory', () => {
  const program = join(folder, 'bin', 'reader');

  test('have an executable each', async () => {
    writeFileSync(
      join(rig.packages, 'greet.py'),
      'import reader, sys\ndef main():\n    print("hello", sys.argv[1:])\n',
    );
    // Its directory is listed by a start of the first one.
    expect((await build()).summary).toMatchObject({ok: true});
    const made = await build({}, ['--out', program, '--entry', 'greet:main']);
    expect(made.summary).toMatchObject({ok: true});
    const greeting = async (): Promise<string> => (await rig.start(program, ['-c', 'x'])).stdout;
    expect(await greeting()).toBe("hello ['-c', 'x']\n");
    expect(await told()).toBe("one ['a'] None\nrestored");
    // The first one again is up to date, and so is the second one.
    expect((await build()).summary).toMatchObject({ok: true});
    expect(await told()).toBe("one ['a'] None\nrestored");
    expect(await greeting()).toBe("hello ['-c', 'x']\n");
    const {stdout} = await flashfreeze(['doctor', program], {environment: rig.environment, cwd: folder});
    expect(stdout).toMatch(
      /: the program sys\.exit\(main\(\)\), with the frozen modules of \S+python-frozen$/m,
    );
    expect(stdout).toMatch(/used by a start here$/m);
  });
});

describe('an executable that was written anew', () => {
  const code =
    'import asyncio, reader, sys, _flashfreeze as f; print(sys.intern("".join("__init__")) == "__init__", f.info()["used"] > 20)';

  /** A copy, which is called in another way: beside the executable, where Python finds its library. */
  const copy = (name: string): string => join(realpathSync(rig.out), '..', name);

  test.each([
    ['by strip', (from: string, to: string) => rig.start('strip', ['-o', to, from])],
    [
      'in part',
      (from: string, to: string) => {
        const read = contentsOf(readFileSync(from));
        if (!read.ok || read.value.snapshot === undefined) throw new Error('no snapshot');
        return rig.start('bash', [
          '-c',
          `head -c -${Math.floor(read.value.snapshot.size / 2)} ${from} > ${to} && chmod +x ${to}`,
        ]);
      },
    ],
  ])('%s has its images as they were linked', async (_, write) => {
    await build();
    const file = copy('copy');
    copyFileSync(`${realpathSync(rig.out)}.stamps`, `${file}.stamps`);
    expect((await write(realpathSync(rig.out), file)).exitCode).toBe(0);
    try {
      for (const seed of ['random', '1']) {
        const ran = await rig.start(file, ['-c', code], {environment: {PYTHONHASHSEED: seed}});
        expect([ran.stdout, ran.stderr]).toEqual(['True True\n', '']);
      }
      expect(await rig.stateOf(file)).toBe('the file is cut off');
    } finally {
      rmSync(file);
      rmSync(`${file}.stamps`);
    }
  });
});

test('watch makes a new snapshot after each kind of edit', async () => {
  const watching = await startWatching(
    ['snapshot', ...rig.words, '--trace', '-c "import reader, uses, asyncio"'],
    folder,
    rig.environment,
  );
  const until = (what: string): Promise<void> =>
    watching.until(
      what,
      async () => (await rig.start(rig.out, ['-c', TELL])).stdout === `${what}\nrestored\n`,
    );
  try {
    await until("one ['a'] None");
    writeFileSync(data, 'watched');
    await until("watched ['a'] None");
    writeFileSync(join(plugins, 'c.conf'), '');
    await until("watched ['a', 'c.conf'] None");
    const source = join(rig.packages, 'reader.py');
    writeFileSync(source, readFileSync(source, 'utf8').replace('.read()', '.read().upper()'));
    await until("WATCHED ['a', 'c.conf'] None");
  } finally {
    await watching.stop();
  }
});
