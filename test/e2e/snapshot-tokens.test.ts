/** What imports make of random bytes, or of the number of the process, and keep: each start has its own, and everything that refers to it. */
import {mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-tokens');
const STARTS = 200;
let rig: SnapshotRig;

/** Builds with modules of these names and texts, of which none is left out. */
async function buildWhole(modules: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(modules)) {
    const path = join(rig.packages, `${name.replaceAll('.', '/')}.py`);
    mkdirSync(join(path, '..'), {recursive: true});
    writeFileSync(path, text);
  }
  const words = Object.keys(modules).flatMap((name) => ['--module', name]);
  const {summary, stderr} = await rig.build('--startup', ...words);
  if (!summary.ok) throw new Error(stderr);
  expect(stderr).not.toContain('left out');
}

/** What so many starts with one number of the process print, where that is allowed. */
async function printsOf(code: string): Promise<readonly string[]> {
  const loop = `first="unshare --pid --fork --kill-child"; $first true 2>/dev/null || first=
    for i in $(seq ${STARTS}); do $first "$@" || exit 1; done`;
  const done = await rig.start('bash', ['-c', loop, 'bash', rig.out, '-c', `${code}\n${STATE}`]);
  expect({...done, stdout: ''}).toEqual({exitCode: 0, stdout: '', stderr: ''});
  const lines = done.stdout.trim().split('\n');
  expect(lines.filter((line) => line === 'restored')).toHaveLength(STARTS);
  return lines.filter((line) => line !== 'restored');
}

beforeAll(async () => {
  rig = await snapshotRig(folder);
});

test('keys that imports make of random bytes are new in each start, in all places', async () => {
  await buildWhole({
    makes_keys: `import collections, os, secrets, uuid
text, own, raw = "key-" + str(uuid.uuid4()), uuid.uuid4(), os.urandom(20)
flags = {"secure": ({"key": b"-".join((raw.hex()[:8].encode(), raw.hex()[8:].encode()))}, "x")}
digits, upper = secrets.token_hex(16), uuid.uuid4().hex.upper()
number, short = uuid.uuid4().int, uuid.uuid4().hex[:12]
table, names, order = {own: 1, text: 2, "x": 3}, {text, 5}, collections.OrderedDict([(text, 4)])
class Holder:
    __slots__ = ("name", "identity")
    key = uuid.uuid4()
    def __init__(self): self.name, self.identity = text, uuid.uuid4()
holder = Holder()
def default(key=text): return key
`,
    has_keys: 'from makes_keys import text as key, own\npair = (key, own)\n',
  });
  const code = `from makes_keys import *
import has_keys, makes_keys
assert has_keys.key is text is makes_keys.holder.name is default() and has_keys.pair == (text, own)
assert (table[own], table[text], table["x"], order[text], text in names, len(names)) == (1, 2, 3, 4, True, 2)
assert table[uuid.UUID(str(own))] == 1 and table["key-" + text[4:]] == 2 and next(iter(order)) is text
assert own.version == holder.key.version == uuid.UUID(upper).version == uuid.UUID(int=number).version == 4
assert flags["secure"][0]["key"].replace(b"-", b"").decode() == raw.hex() and len(short) == 12 and upper == upper.upper()
print(text, own, raw.hex(), digits, upper, number, short, holder.key, holder.identity)`;
  const rows = (await printsOf(code)).map((line) => line.split(' '));
  expect(rows).toHaveLength(STARTS);
  const different = rows[0]?.map((_, i) => new Set(rows.map((row) => row[i])).size);
  expect(different).toEqual(Array.from({length: 9}, () => STARTS));
  const ordinary = {environment: {FLASHFREEZE: 'no-snapshot'}};
  expect(await rig.stateOf(rig.out, ['-c', `${code}\n${STATE}`], ordinary)).toMatch(/\nFLASHFREEZE/);
});

test('keys are known whatever was drawn before them, and whatever they look like', async () => {
  await buildWhole({
    draws: 'import os\nwhile os.urandom(16)[0] < 200: pass\n',
    draws_before: `import draws, os, uuid
keys = [str(uuid.uuid4()) for i in range(60)]
others = {os.urandom(16).hex(): i for i in range(60)}
`,
  });
  const code = `from draws_before import *
import uuid
assert all(uuid.UUID(key).version == 4 for key in keys) and [others[key] for key in others] == list(range(60))
print(*keys, *others)`;
  const rows = (await printsOf(code)).map((line) => line.split(' '));
  expect(new Set(rows.flat()).size).toBe(STARTS * 120);
});

test('the number of the process is that of the start, also where a fork asks for it', async () => {
  await buildWhole({
    keeps_number: `import os
class State:
    def __init__(self): self.pid, self.forks = os.getpid(), 0
state, table = State(), {"pid": os.getpid()}
def check():
    if state.pid != os.getpid(): state.pid, state.forks = os.getpid(), state.forks + 1
os.register_at_fork(before=check, after_in_child=check)
`,
  });
  const code = `from keeps_number import *
print(state.pid == os.getpid() == table["pid"], state.forks, flush=True)
if os.fork() == 0: print(state.pid == os.getpid(), state.forks, flush=True); os._exit(0)
os.wait()`;
  // It is as if the process had been forked.
  expect(await rig.stateOf(rig.out, ['-c', `${code}\n${STATE}`])).toBe('True 1\nTrue 2\nrestored');
});

test('files that are made and removed again are no change', async () => {
  const kept = join(folder, 'kept');
  writeFileSync(kept, '');
  await buildWhole({
    probes: `import os, pathlib, tempfile
with tempfile.TemporaryDirectory() as place:
    source, other = pathlib.Path(place, "source"), pathlib.Path(place, "inner", "other")
    source.touch()
    other.parent.mkdir()
    os.link(source, other, follow_symlinks=False)
    os.symlink(source, pathlib.Path(place, "link"))
    os.rename(other, pathlib.Path(place, "renamed"))
    linked = sorted(os.listdir(place))
with open(${JSON.stringify(join(folder, 'probe'))}, "w") as file: file.write("text")
os.remove(file.name)
`,
  });
  const code = ['-c', `import probes; print(probes.linked)\n${STATE}`];
  expect(await rig.stateOf(rig.out, code)).toBe("['inner', 'link', 'renamed', 'source']\nrestored");
  expect(readdirSync(folder)).not.toContain('probe');
  writeFileSync(
    join(rig.packages, 'removes.py'),
    `import os\nos.remove(${JSON.stringify(kept)})\nopen(${JSON.stringify(kept)}, "w").close()\n`,
  );
  writeFileSync(
    join(rig.packages, 'replaces.py'),
    `import os\nopen(__file__ + ".new", "w").close(); os.replace(__file__ + ".new", __file__ + ".log")\n`,
  );
  const {stderr} = await rig.build('--startup', '--module', 'removes', '--module', 'replaces');
  expect(stderr).toMatch(/removes \(.*removes\.py:2\): it writes .*kept/);
  expect(stderr).toMatch(/replaces \(.*replaces\.py:2\): it writes .*replaces\.py\.log/);
});

test("indices of sympy's dummy symbols go on from a number of the start", async () => {
  await buildWhole({
    'sympy.core.symbol': `import random
class Dummy:
    _count = 0
    _prng = random.Random()
    _base_dummy_index = _prng.randint(10**6, 9*10**6)
    def __init__(self):
        self.index = Dummy._base_dummy_index + Dummy._count
        Dummy._count += 1
first, table = Dummy(), {}
table[first.index] = first
`,
  });
  const code = `from sympy.core.symbol import *
new = Dummy(); print(new.index > first.index, table[first.index] is first, Dummy._count, first.index, new.index, Dummy._prng.random())`;
  const rows = (await printsOf(code)).map((line) => line.split(' '));
  expect(new Set(rows.map((row) => row.slice(0, 4).join(' '))).size).toBe(1);
  expect(rows[0]?.slice(0, 3)).toEqual(['True', 'True', '2']);
  expect(new Set(rows.map((row) => row[4])).size).toBeGreaterThan(STARTS * 0.9);
  expect(new Set(rows.map((row) => row[5])).size).toBe(STARTS);
});
