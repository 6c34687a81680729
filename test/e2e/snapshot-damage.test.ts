/** Executables whose file is cut off or written to behind the interpreter, and a thousand starts at once: what runs is right, or nothing does. */
import {execFileSync} from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeAll, expect, jest, test} from '@jest/globals';
import {type Chance, chanceFrom} from '../support/random.js';
import {type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-damage');
const backup = join(folder, 'backup');
const PLACES = 80;
let rig: SnapshotRig;
let file: string;
let chance: Chance;

/** What is behind the interpreter: from the end of the last segment that the kernel maps. */
let [begin, end] = [0, 0];

beforeAll(async () => {
  rig = await snapshotRig(folder);
  const {summary, stderr} = await rig.build('--startup', '--trace', '-c "import json, dataclasses"');
  if (!summary.ok) throw new Error(stderr);
  file = realpathSync(rig.out);
  const bytes = readFileSync(file);
  const headers = Number(bytes.readBigUInt64LE(0x20));
  for (let at = headers; at < headers + 56 * bytes.readUInt16LE(0x38); at += 56)
    if (bytes.readUInt32LE(at) === 1)
      begin = Math.max(
        begin,
        Number(bytes.readBigUInt64LE(at + 8)) + Number(bytes.readBigUInt64LE(at + 0x20)),
      );
  end = bytes.length;
  copyFileSync(file, backup);
  execFileSync('touch', ['-r', file, backup]);
  chance = chanceFrom(25);
  expect(end - begin).toBeGreaterThan(100_000);
});

/** As it was, to the nanosecond; not another file, of which a start takes no notice. */
function restore(): void {
  const out = openSync(file, 'r+');
  writeSync(out, readFileSync(backup));
  closeSync(out);
  execFileSync('touch', ['-r', backup, file]);
}

afterEach(async () => {
  restore();
  expect(await rig.stateOf()).toBe('restored');
  rmSync(join(folder, 'many.txt'), {force: true});
});

const CODE = `import json, dataclasses, _flashfreeze
@dataclasses.dataclass
class P: x: int; y: str = 'a'
print(json.dumps([dataclasses.asdict(P(1)), json.loads('{"a": [1.5, null]}')]), _flashfreeze.info()['snapshot'])`;
const RIGHT = '[{"x": 1, "y": "a"}, {"a": [1.5, null]}]';

test('a byte that is another, anywhere in the snapshot, means an ordinary start', async () => {
  for (let i = 0; i < PLACES; i++) {
    const at = begin + chance.below(end - begin);
    const out = openSync(file, 'r+');
    const byte = Buffer.from([(readFileSync(backup)[at] ?? 0) ^ (1 << chance.below(8))]);
    writeSync(out, byte, 0, 1, at);
    closeSync(out);
    const done = await rig.start(rig.out, ['-c', CODE]);
    expect({at, ...done}).toMatchObject({at, exitCode: 0, stderr: ''});
    expect({at, stdout: done.stdout}).toEqual({
      at,
      stdout: expect.stringMatching(/^\[\{"x": 1, "y": "a"\}, \{"a": \[1\.5, null\]\}\] (?!restored)./),
    });
    const back = openSync(file, 'r+');
    writeSync(back, readFileSync(backup), at, 1, at);
    closeSync(back);
  }
});

test('a file that ends anywhere in the snapshot means an ordinary start', async () => {
  const lengths = Array.from({length: PLACES}, () => begin + chance.below(end - begin));
  for (const length of [end - 1, ...lengths.sort((a, b) => b - a), begin]) {
    truncateSync(file, length);
    const done = await rig.start(rig.out, ['-c', CODE]);
    expect({length, ...done}).toMatchObject({length, exitCode: 0, stderr: ''});
    expect({length, stdout: done.stdout}).toEqual({length, stdout: expect.stringContaining(`${RIGHT} `)});
    expect(done.stdout).not.toContain('restored');
  }
});

test('a file that ends anywhere in the interpreter runs nothing wrong', async () => {
  const lengths = Array.from({length: 40}, () => chance.below(begin));
  for (const length of lengths.sort((a, b) => b - a)) {
    truncateSync(file, length);
    const {exitCode, stdout} = await rig
      .start(rig.out, ['-c', CODE])
      .catch(() => ({exitCode: -1, stdout: ''}));
    // The kernel or the dynamic linker refuses it, or a page that is missing ends it.
    expect([length, exitCode === 0 ? stdout.startsWith(`${RIGHT} `) : !stdout.includes('restored')]).toEqual([
      length,
      true,
    ]);
  }
});

test('a thousand starts at once are all from the snapshot', async () => {
  // With job control: other shells have their jobs in the background ignore SIGINT, which means an ordinary start.
  const loop = 'set -m; for i in $(seq 1000); do "$@" >>many.txt 2>&1 & done; wait';
  const done = await rig.start('bash', ['-c', loop, 'bash', rig.out, '-c', CODE]);
  expect(done).toMatchObject({exitCode: 0});
  const lines = readFileSync(join(folder, 'many.txt'), 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(1000);
  expect(new Set(lines)).toEqual(new Set([`${RIGHT} restored`]));
});
