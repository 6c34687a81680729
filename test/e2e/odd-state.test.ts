/**
 * What the program keeps and reads back, in every wrong shape: each run says so at most once, does its work, and leaves the file as it should be. What
 * the engine itself keeps is tried more closely in test/unit/engine/records.
 */
import {execFileSync, spawnSync} from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {afterEach, beforeAll, expect, jest, test} from '@jest/globals';
import {hasLinkablePython, SYSTEM_PYTHON} from '../support/linkable-python.js';
import {copyProgram} from '../support/program-copy.js';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {describeWith} from '../support/with.js';

jest.setTimeout(10 * 60_000);

/** As root, everything could be read and written, so another user plays. */
const USER = 64_004;
const isRoot = process.getuid?.() === 0;
const folder = temporaryDirectory('odd-state');
const own = join(folder, 'own');
/** What a link in the place of state leads to. */
const dear = join(own, 'dear');
const [out, buildDir, cache] = [join(own, 'python'), join(own, 'build'), join(own, 'cache')];
let program: string;

beforeAll(() => {
  chmodSync(folder, 0o755);
  program = copyProgram(join(folder, 'code'));
  mkdirSync(own);
  giveAway(own);
});

function giveAway(path: string): void {
  if (isRoot) execFileSync('chown', ['-h', `${USER}:${USER}`, path]);
}

interface Done {
  readonly status: number | null;
  readonly signal: string | null;
  readonly text: string;
}

function relink(...more: readonly string[]): Done {
  const words = [
    'relink',
    '--python',
    SYSTEM_PYTHON,
    '--out',
    out,
    '--build-dir',
    buildDir,
    '--cache-dir',
    cache,
  ];
  const done = spawnSync(process.execPath, [program, ...words, '--module', 'textwrap', ...more], {
    ...(isRoot ? {uid: USER, gid: USER} : {}),
    cwd: own,
    env: {PATH: process.env['PATH'], HOME: own},
    encoding: 'utf8',
    // For those that hang.
    timeout: 5 * 60_000,
    killSignal: 'SIGKILL',
  });
  return {status: done.status, signal: done.signal, text: done.stdout + done.stderr};
}

/** The first file below a directory whose path has this form. */
function fileBelow(root: string, form: RegExp): string {
  const names = readdirSync(root, {recursive: true, encoding: 'utf8'}).sort();
  const name = names.find((each) => form.test(each) && lstatSync(join(root, each)).isFile());
  if (name === undefined) throw new Error(`no file such as ${form.source} in ${root}`);
  return join(root, name);
}

/** Everything that a run reads back. */
const STATE: Readonly<Record<string, () => string>> = {
  'the journal': () => join(buildDir, 'journal.jsonl'),
  'the digests of sources': () => join(buildDir, 'sources.json'),
  'the last run': () => join(buildDir, 'last-run.json'),
  'the proofs': () => join(buildDir, 'proofs'),
  'the list of modules': () => join(buildDir, 'work/modules.json'),
  'the memo of the discovery': () => join(buildDir, 'work/discovery-memo.json'),
  'the memo of the compiler': () => join(buildDir, 'work/compiler.json'),
  'the memo of the installation': () => join(buildDir, 'work/installation.json'),
  'the stamps': () => `${out}.stamps`,
  'the memo of the run': () => fileBelow(join(cache, 'fresh'), /^[0-9a-f]{64}$/),
  'a result': () => fileBelow(join(cache, 'ac'), /[0-9a-f]{64}$/),
  'a file of a result': () => fileBelow(join(cache, 'cas'), /[0-9a-f]{64}$/),
};

const text = (content: (before: string) => string) => (path: string, before: Buffer) => {
  writeFileSync(path, content(before.toString('latin1')), 'latin1');
};
const DAMAGES: Readonly<Record<string, (path: string, before: Buffer) => void>> = {
  empty: text(() => ''),
  'cut short': (path, before) => {
    writeFileSync(path, before.subarray(0, before.length * 0.6));
  },
  'of another kind': text(() => '[]'),
  null: text(() => 'null'),
  'of another version': text((before) => before.replace(/"schema":\d+/, '"schema":99')),
  'with huge numbers': text((before) => before.replaceAll(/(?<=[:,[])\d+(?=[,}\]])/g, '1e308')),
  'with texts for numbers': text((before) => before.replaceAll(/(?<=[:,[])\d+(?=[,}\]])/g, '"x"')),
  'with numbers for texts': text((before) => before.replaceAll(/"[^"\\]*"(?!:)/g, '7')),
  'with lists for objects': text((before) => before.replaceAll(/\{[^{}]*\}/g, '[]')),
  'with terminal escapes': text((before) => before.replaceAll(/"[^"\\]*"(?!:)/g, String.raw`"\u001b[2J"`)),
  'nested deeply': text(() => '['.repeat(500_000) + ']'.repeat(500_000)),
  'of random bytes': (path, before) => {
    writeFileSync(path, Buffer.from(before.map((_, i) => (i * i * 7919) >> 3)));
  },
  'as long as a disk, with holes': (path, before) => {
    writeFileSync(path, before);
    truncateSync(path, 1e12);
  },
  'with names that objects have': text((before) =>
    before.replaceAll('{"', '{"__proto__":{"toString":1},"constructor":7,"'),
  ),
  'with names twice': text((before) => before.replaceAll(/\{("[^"]+"):/g, '{$1:null,$1:')),
  'with a byte order mark': text((before) => `\u00ef\u00bb\u00bf${before}`),
  unreadable: (path, before) => {
    writeFileSync(path, before);
    chmodSync(path, 0o000);
  },
  'a FIFO': (path) => execFileSync('mkfifo', ['-m', '666', path]),
  'a directory': (path) => {
    mkdirSync(path);
  },
  'a link to itself': (path) => {
    symlinkSync(basename(path), path);
  },
  'a link to nowhere': (path) => {
    symlinkSync(join(folder, 'nowhere/at all'), path);
  },
  'a link to another file of the user': (path) => {
    writeFileSync(dear, 'dear');
    giveAway(dear);
    symlinkSync(dear, path);
  },
  'a link to a device': (path) => {
    symlinkSync('/dev/zero', path);
  },
};

const WRONG = /error\[BUG\]|internal error|\n\s+at .*[:(]\d|\u001b/;
/** What a run says of state that it ignores. */
const SAID = /ignored|damaged|of another version|cannot read/;

const left = new Map<string, Buffer>();
/** What a test that failed has left must not fail the others. */
function mend(): void {
  rmSync(dear, {force: true});
  for (const [path, before] of left) {
    const isDirectory = lstatSync(path, {throwIfNoEntry: false})?.isDirectory() === true;
    if (isDirectory) rmSync(path, {recursive: true});
    if (!existsSync(dirname(path))) continue;
    rmSync(path, {force: true});
    writeFileSync(path, before);
    giveAway(path);
  }
  left.clear();
}

describeWith(hasLinkablePython(), 'a Python of the system that can be relinked')('odd state', () => {
  beforeAll(() => {
    expect(relink()).toMatchObject({status: 0});
  });

  afterEach(mend);
  // One in four is enough to see that each file and each damage is handled: FLASHFREEZE_ODD_STATE=all tries all pairs.
  const isAll = process.env['FLASHFREEZE_ODD_STATE'] === 'all';
  const cases = Object.keys(STATE).flatMap((name, i) =>
    Object.keys(DAMAGES).flatMap((damage, j) =>
      isAll || (i + j) % 4 === 0 ? [[name, damage] as const] : [],
    ),
  );
  test.each(cases)('%s, %s', (name, damage) => {
    const path = STATE[name]?.() ?? '';
    const before = readFileSync(path);
    if (name !== 'the memo of the run')
      for (const each of readdirSync(join(cache, 'fresh')))
        rmSync(join(cache, 'fresh', each), {recursive: true});
    // A run with nothing to do reads no results.
    const isOfCache = name.includes('result');
    const makeAnew = (): void => {
      if (isOfCache) rmSync(buildDir, {recursive: true});
    };
    makeAnew();
    left.set(path, before);
    rmSync(path, {force: true});
    mkdirSync(dirname(path), {recursive: true});
    DAMAGES[damage]?.(path, before);
    giveAway(path);
    if (isRoot) expect(lstatSync(path).uid).toBe(USER);

    const first = relink();
    if (existsSync(dear)) expect(readFileSync(dear, 'utf8')).toBe('dear');
    expect(first).toMatchObject({signal: null, text: expect.not.stringMatching(WRONG)});
    if (damage === 'a directory' && existsSync(path) && lstatSync(path).isDirectory()) {
      // Nobody knows what is in it, so it stays, and is named by whoever needs the place.
      if (first.status !== 0)
        expect(first.text).toContain(`cannot write ${path}: there is a folder in its place`);
      rmSync(path, {recursive: true});
      expect(relink()).toMatchObject({status: 0, signal: null});
      return;
    }
    expect(first).toMatchObject({status: 0});
    // The next runs are as if nothing had been.
    makeAnew();
    expect(relink()).toMatchObject({status: 0, text: expect.not.stringMatching(SAID)});
    expect(lstatSync(path).isFile()).toBe(true);
    if (isRoot) chownSync(path, USER, USER);
    expect(
      execFileSync(out, ['-c', 'import textwrap; print(textwrap.dedent(" a"))'], {encoding: 'utf8'}),
    ).toBe('a\n');
  });
});
