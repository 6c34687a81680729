/** Nothing that must be unique is shared by two starts from one snapshot, also where they have one process number. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-uniqueness');
const STARTS = 1000;
let rig: SnapshotRig;

const IMPORTS =
  'email.generator, email.utils, multiprocessing.process, os, random, secrets, sqlite3, ssl, sys, tempfile, uuid, xml.etree.ElementTree';

const SOURCES: Readonly<Record<string, string>> = {
  random: 'random.random()',
  'a generator': 'random.Random().random()',
  secrets: 'secrets.token_hex(8)',
  uuid1: 'uuid.uuid1()',
  uuid4: 'uuid.uuid4()',
  OpenSSL: 'ssl.RAND_bytes(8).hex()',
  tempfile: 'os.path.basename(tempfile.mktemp())',
  'names of tempfile': 'next(tempfile._get_candidate_names())',
  'a key of multiprocessing': 'bytes(multiprocessing.process.current_process().authkey).hex()',
  SQLite: 'sqlite3.connect(":memory:").execute("select hex(randomblob(8))").fetchone()[0]',
  'a boundary': 'email.generator.Generator._make_boundary()',
};

beforeAll(async () => {
  rig = await snapshotRig(folder);
  const {summary, stderr} = await rig.build('--trace', `-c "import ${IMPORTS}"`);
  if (!summary.ok) throw new Error(stderr);
  writeFileSync(
    join(folder, 'unique.py'),
    `import ${IMPORTS}, _flashfreeze\nprint(_flashfreeze.info()["snapshot"], ${Object.values(SOURCES).join(', ')})\n`,
  );
});

test('a thousand starts differ in everything', async () => {
  expect(await rig.stateOf()).toBe('restored');
  // Where that is allowed, each is the first process of its namespace.
  const loop = `first="unshare --pid --fork --kill-child"; $first true 2>/dev/null || first=
    for i in $(seq ${STARTS}); do $first "$@" || exit 1; done`;
  const {exitCode, stdout, stderr} = await rig.start('bash', ['-c', loop, 'bash', rig.out, 'unique.py']);
  expect({exitCode, stderr}).toEqual({exitCode: 0, stderr: ''});
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const different = Object.fromEntries(
    Object.keys(SOURCES).map((name, i) => [name, new Set(rows.map((row) => row[i + 1])).size]),
  );
  expect(rows).toHaveLength(STARTS);
  expect(new Set(rows.map(([state]) => state))).toEqual(new Set(['restored']));
  expect(different).toEqual(Object.fromEntries(Object.keys(SOURCES).map((name) => [name, STARTS])));
});

test.each([
  ['restored', {}, 'False'],
  ['ordinary', {FLASHFREEZE: 'no-snapshot'}, 'True'],
])(
  'the salt of expat is the secret of string hashes in a start that is %s: %s %s',
  async (_, environment, expected) => {
    const code = `
import ctypes, xml.parsers.expat
parser = xml.parsers.expat.ParserCreate()
secret = bytes((ctypes.c_char * 24).in_dll(ctypes.pythonapi, "_Py_HashSecret"))
own = ctypes.string_at(ctypes.c_void_p.from_address(id(parser) + object.__basicsize__).value, 1200)
print(secret[:16] in own or secret[16:] in own)`;
    const done = await rig.start(rig.out, ['-c', code], {environment});
    expect(done).toEqual({exitCode: 0, stdout: `${expected}\n`, stderr: ''});
  },
);
