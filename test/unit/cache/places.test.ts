/** A store in places that are not as one would wish: full, read-only, shared by users. */
import {execFileSync, spawnSync} from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {beforeAll, beforeEach, describe, expect, jest, test} from '@jest/globals';
import {decodeRecord, encodeRecord} from '../../../src/cache/record.js';
import {layoutOf} from '../../../src/cache/store-layout.js';
import {type Digest, digestOf} from '../../../src/model/digest.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {describeWith} from '../../support/with.js';
import {writeScript} from '../../support/scripts.js';

jest.setTimeout(60_000);

/**
 * Builds as somebody, with a store: each action writes its name so often that it has so many bytes. Then says what came of it.
 * Who it is changes when everything is loaded, because that somebody need not be able to read this checkout.
 */
const SCRIPT = `
import {readFileSync, rmSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {openStore} from './cache/store.js';
import {createEngine} from './engine/engine.js';
import {localSlots} from './exec/job-slots.js';
const {homes, buildDir, storeDir, names, bytes, user, limits, trustOthers, clear} = JSON.parse(process.argv[2]);
if (user) {
  process.env.XDG_CACHE_HOME = join(homes, String(user.id));
  process.umask(user.umask);
  process.setgroups([]);
  process.setgid(user.group);
  process.setuid(user.id);
}
const messages = [];
const store = await openStore(storeDir, {trustOthers});
if (!store.ok) messages.push(store.failure.message);
const engine = await createEngine({
  buildDir, store: store.ok ? store.value : undefined, jobs: localSlots(2), signal: new AbortController().signal,
  events: {emit: (event) => event.type === 'warning' && messages.push(event.message)},
});
const content = (name) => name.repeat(bytes / name.length);
const results = await Promise.all(names.map((name) => engine.run({
  id: 'cc:' + name, tools: [], arguments: {bytes}, environment: {}, inputs: [], storage: 'shared',
  outputs: [{name: 'o', path: join(buildDir, name)}],
  async execute({outputs}) {
    await writeFile(outputs.o, content(name));
    return {ok: true};
  },
})));
const right = results.every(({ok}) => ok) && names.every((name) => readFileSync(join(buildDir, name), 'utf8') === content(name));
if (limits && store.ok) await store.value.collect(limits);
if (clear && store.ok) await store.value.clear();
console.log(JSON.stringify({right, messages, ...engine.summary().counts, ...(store.ok ? {...(await store.value.verify()), ...(await store.value.intruders())} : {})}));
rmSync(buildDir, {recursive: true, force: true});
`;

interface Outcome {
  readonly right: boolean;
  readonly messages: readonly string[];
  readonly executed: number;
  readonly cached: number;
  readonly entries: number;
  readonly damaged: readonly string[];
  readonly foreign: readonly string[];
  readonly special: readonly string[];
}

interface User {
  readonly id: number;
  readonly group: number;
  readonly umask: number;
}

interface Task {
  readonly names: readonly string[];
  readonly bytes: number;
  readonly user?: User;
  readonly trustOthers?: boolean;
  readonly limits?: {readonly maxBytes: number; readonly maxAgeDays: number};
  readonly clear?: boolean;
}

let program: string;
let folder: string;
/** Where each user has a cache directory of their own. */
let homes: string;
beforeAll(() => {
  homes = temporaryDirectory();
  chmodSync(homes, 0o1777);
  program = writeScript(temporaryDirectory(), 'build', SCRIPT);
});
beforeEach(() => {
  folder = temporaryDirectory();
  chmodSync(folder, 0o777);
});

let runs = 0;
function argumentsFor(task: Task): [string, string] {
  runs += 1;
  const setting = {...task, homes, storeDir: join(folder, 'store'), buildDir: join(folder, `build${runs}`)};
  return [program, JSON.stringify(setting)];
}

function build(task: Task): Outcome {
  return JSON.parse(execFileSync(process.execPath, argumentsFor(task), {encoding: 'utf8'})) as Outcome;
}

const isRoot = process.getuid?.() === 0;
/** A mount of one's own needs no more than a namespace of one's own, which some machines do not give. */
const unshare = isRoot ? ['-m'] : ['-U', '-r', '-m'];
const mayMount = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

/** Runs builds with a file system of their own for the store: each step is a shell command or a build. */
function mounted(size: string, ...steps: readonly (string | Task)[]): Outcome[] {
  mkdirSync(join(folder, 'store'), {recursive: true});
  const quote = (word: string): string => `'${word}'`;
  const commands = steps.map((step) =>
    typeof step === 'string' ? step : [process.execPath, ...argumentsFor(step)].map(quote).join(' '),
  );
  const script = [`mount -t tmpfs -o size=${size} none "$0"`, ...commands].join(' && ');
  const said = execFileSync('unshare', [...unshare, 'sh', '-c', script, join(folder, 'store')], {
    encoding: 'utf8',
  });
  return said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome);
}

describeWith(mayMount, 'the right to mount')('a store on a disk of its own', () => {
  const large = {names: ['a', 'b', 'c', 'd'], bytes: 8_000_000};
  const small = {names: ['e', 'f'], bytes: 1000};

  test('of 20 MB that becomes full costs a warning; what fitted is used later', () => {
    // Files that are stored at once can be in each other's way: only those of a build before surely fit.
    const [before, first, second, third] = mounted('20m', small, large, large, small);
    expect(before).toMatchObject({right: true, executed: 2, entries: 2, messages: []});
    expect(first).toMatchObject({right: true, executed: 4, damaged: []});
    expect(first?.messages).toHaveLength(1);
    expect(first?.messages[0]).toMatch(
      /^the cache cannot be written and is not used: .*no room left on the disk$/,
    );
    expect(second).toMatchObject({right: true, damaged: []});
    expect(second?.cached).toBe((first?.entries ?? NaN) - 2);
    expect(third).toMatchObject({right: true, cached: 2, executed: 0, damaged: [], messages: []});
  });

  test('that was full before behaves the same', () => {
    const fill = 'dd if=/dev/zero of="$0/filler" bs=1M 2>/dev/null; true';
    for (const outcome of mounted('1m', fill, small, small)) {
      expect(outcome).toMatchObject({right: true, executed: 2, entries: 0});
      expect(outcome.messages).toHaveLength(1);
      expect(outcome.messages[0]).toContain('no room left on the disk');
    }
  });

  test('that became read-only is read, with one warning when there is something to write', () => {
    const more = {...small, names: [...small.names, 'g', 'h']};
    const [, again, other] = mounted('5m', small, 'mount -o remount,ro "$0"', small, more);
    expect(again).toMatchObject({right: true, cached: 2, executed: 0, messages: []});
    expect(other).toMatchObject({right: true, cached: 2, executed: 2, entries: 2});
    expect(other?.messages).toHaveLength(1);
    expect(other?.messages[0]).toMatch(/^the cache cannot be written and is not used: .*read-only$/);
  });

  test('that is read-only and damaged causes a warning, and the build is right', () => {
    const entry = layoutOf('"$0"').entry;
    const damage = `for file in ${entry(digestOf('')).replace(/e3.*/, '*/*')}; do echo >"$file"; break; done`;
    const [, built] = mounted('5m', small, damage, 'mount -o remount,ro "$0"', small);
    expect(built).toMatchObject({right: true, cached: 1, executed: 1});
    expect(built?.messages[0]).toMatch(/^the cache entry .* was damaged and cannot be removed$/);
    expect(built?.messages[1]).toMatch(/^the cache cannot be written/);
  });

  test('that is read-only and empty costs a warning', () => {
    const [built] = mounted('5m', 'mount -o remount,ro "$0"', small);
    expect(built).toMatchObject({right: true, executed: 2});
    expect(built?.messages).toHaveLength(1);
    expect(built?.messages[0]).toMatch(/^cannot use the cache in .*: .*read-only$/);
  });
});

describeWith(isRoot, 'the right to be several users')('a store of two users', () => {
  const group = 64_000;
  const ada: User = {id: 64_001, group, umask: 0o077};
  const ben: User = {id: 64_002, group, umask: 0o022};
  const both = {names: ['a', 'b'], bytes: 1000, trustOthers: true};
  const alone = {...both, trustOthers: false};

  function shared(mode: number): void {
    mkdirSync(join(folder, 'store'));
    chownSync(join(folder, 'store'), 0, group);
    chmodSync(join(folder, 'store'), mode);
  }
  const files = (part: string): string[] =>
    readdirSync(join(folder, 'store', part), {recursive: true, encoding: 'utf8'})
      .map((name) => join(folder, 'store', part, name))
      .filter((path) => statSync(path).isFile());

  test("who share a group: each uses and restores the other's results, whatever their umask", () => {
    shared(0o2770);
    expect(build({...both, user: ada})).toMatchObject({right: true, executed: 2, messages: []});
    const more = {...both, names: ['a', 'b', 'c']};
    expect(build({...more, user: ben})).toMatchObject({right: true, cached: 2, executed: 1, messages: []});
    expect(build({...more, user: ada})).toMatchObject({right: true, cached: 3, messages: []});
    const [blob = ''] = files('cas');
    const content = readFileSync(blob);
    writeFileSync(blob, 'damage');
    const healed = build({...more, user: ben});
    expect(healed).toMatchObject({right: true, cached: 2, executed: 1, damaged: []});
    expect(healed.messages).toEqual([`the cached file ${blob} was damaged and has been removed`]);
    expect(readFileSync(blob)).toEqual(content);
    expect(build({...more, user: ada})).toMatchObject({right: true, cached: 3, messages: []});
  });

  test("a use of another user's result is recorded, and each may collect", () => {
    shared(0o2770);
    build({...both, user: ada});
    const old = Date.now() / 1000 - 20 * 86_400;
    for (const path of [...files('ac'), ...files('cas')]) utimesSync(path, old, old);
    build({names: ['a'], bytes: 1000, user: ben, trustOthers: true});
    expect(files('ac').filter((path) => statSync(path).mtimeMs > Date.now() - 60_000)).toHaveLength(1);
    const limits = {maxBytes: 1e9, maxAgeDays: 10};
    const collected = build({names: ['c'], bytes: 1000, limits, user: ben, trustOthers: true});
    expect(collected).toMatchObject({right: true, entries: 2, messages: []});
    expect(build({...both, user: ada})).toMatchObject({cached: 1, executed: 1, messages: []});
  });

  test('of whom only one may write: the other reads, and gets one warning', () => {
    mkdirSync(join(folder, 'store'));
    chownSync(join(folder, 'store'), ben.id, group);
    build({...both, user: ben});
    expect(build({...both, user: ada})).toMatchObject({right: true, cached: 2, messages: []});
    const built = build({...both, names: ['a', 'b', 'c', 'd'], user: ada});
    expect(built).toMatchObject({right: true, cached: 2, executed: 2, entries: 2});
    expect(built.messages).toHaveLength(1);
    expect(built.messages[0]).toMatch(/^the cache cannot be written and is not used: .*permission denied$/);
  });

  test('of whom one may not even read: that one gets a warning', () => {
    mkdirSync(join(folder, 'store'), {mode: 0o700});
    chownSync(join(folder, 'store'), ada.id, group);
    build({...both, user: ada});
    const built = build({...both, user: ben});
    expect(built).toMatchObject({right: true, executed: 2});
    expect(built.messages).toHaveLength(1);
    expect(built.messages[0]).toContain(join(folder, 'store'));
  });

  test('who do not trust each other: each uses what is its own, and gets a warning about the rest', () => {
    shared(0o2770);
    build({...alone, user: ada});
    const built = build({...alone, user: ben});
    expect(built).toMatchObject({right: true, cached: 0, executed: 2});
    expect(built.messages).toHaveLength(1);
    expect(built.messages[0]).toMatch(
      /has results of the user 64001, which are not used; with --trust-cache/,
    );
    expect(build({...alone, user: ben})).toMatchObject({right: true, cached: 2, messages: []});
    const {foreign} = build({names: ['z'], bytes: 1000, user: ada});
    expect(foreign.filter((path) => files('ac').includes(path))).toHaveLength(2);
  });

  test('of whom one owns it: the other does not use it', () => {
    mkdirSync(join(folder, 'store'));
    chownSync(join(folder, 'store'), ben.id, group);
    build({...both, user: ben});
    const built = build({...alone, user: ada});
    expect(built).toMatchObject({right: true, executed: 2});
    expect(built.messages[0]).toMatch(/belongs to the user 64002, who can change what is in it$/);
  });

  describe('of whom one wants to delete what is not in it', () => {
    const old = Date.now() / 1000 - 20 * 86_400;
    let home: string;
    beforeEach(() => {
      shared(0o2770);
      build({...alone, user: ben});
      home = join(folder, 'home');
      const places = ['', 'sub', 'ab'].map((name) => join(home, name));
      for (const place of places) mkdirSync(place, {recursive: true});
      for (const place of places) writeFileSync(join(place, 'letter'), 'dear');
      writeFileSync(join(home, '.new-1'), 'dear');
      writeFileSync(join(home, 'ab', `ab${'0'.repeat(62)}`), 'dear');
      for (const name of readdirSync(home, {recursive: true, encoding: 'utf8'})) {
        chownSync(join(home, name), ben.id, group);
        utimesSync(join(home, name), old, old);
      }
    });
    const limits = {maxBytes: 0, maxAgeDays: 1};
    const content = (): string[] => readdirSync(home, {recursive: true, encoding: 'utf8'}).sort();

    test.each(['tmp', 'cas', 'ac/ab', 'fresh', 'tmp/.new-x'])(
      'with a link to the home of the other at %s',
      (name) => {
        const before = content();
        const link = join(folder, 'store', name);
        rmSync(link, {recursive: true, force: true});
        mkdirSync(dirname(link), {recursive: true});
        symlinkSync(name.endsWith('ab') ? join(home, 'ab') : home, link);
        for (const task of [{limits}, {clear: true}]) {
          expect(build({...alone, ...task, user: ben})).toMatchObject({right: true});
          expect(content()).toEqual(before);
        }
      },
    );

    test('with directories that look like unfinished files', () => {
      const planted = join(folder, 'store/tmp/.new-directory');
      mkdirSync(planted);
      writeFileSync(join(planted, 'x'), '');
      chownSync(planted, ben.id, group);
      utimesSync(planted, old, old);
      build({...alone, limits, user: ben});
      expect(readdirSync(planted)).toEqual(['x']);
    });
  });

  describe('of whom one has a checkout of what the other wrote', () => {
    /** Forges the result for `a`: an entry that belongs to ben, in a directory of ben; returns its path in the store. */
    function forge(checkout: string): string {
      shared(0o2770);
      build({...alone, names: ['a'], user: ben});
      const [entry = ''] = files('ac');
      const record = decodeRecord(readFileSync(entry, 'utf8'), basename(entry) as Digest);
      if (record === undefined || record === 'older') throw new Error('no result');
      const content = 'b'.repeat(1000);
      const blob = layoutOf(join(folder, 'store')).blob(digestOf(content));
      mkdirSync(dirname(blob), {recursive: true});
      writeFileSync(blob, content);
      const outputs = record.outputs.map((output) => ({...output, digest: digestOf(content)}));
      mkdirSync(checkout, {recursive: true});
      const forged = join(checkout, basename(entry));
      writeFileSync(forged, encodeRecord({...record, outputs}));
      rmSync(entry);
      for (const path of [checkout, forged]) chownSync(path, ben.id, group);
      return entry;
    }

    test('a link in the store that leads to it is not followed', () => {
      const checkout = join(folder, 'checkout');
      const shard = dirname(forge(checkout));
      rmSync(shard, {recursive: true});
      symlinkSync(checkout, shard);
      const before = readdirSync(checkout);
      expect(build({...alone, names: ['a'], user: ben})).toMatchObject({right: true, executed: 1});
      expect(readdirSync(checkout)).toEqual(before);
    });

    test('a file of it that was moved into the store is not used, and replaced', () => {
      const entry = forge(join(folder, 'checkout'));
      renameSync(join(folder, 'checkout', basename(entry)), entry);
      const built = build({...alone, names: ['a'], user: ben});
      expect(built).toMatchObject({right: true, executed: 1});
      expect(built.messages[0]).toMatch(/has results without the mark of this user, which are not used/);
      expect(build({...alone, names: ['a'], user: ben})).toMatchObject({
        right: true,
        cached: 1,
        messages: [],
      });
    });

    test('a mark of this user does not count for another result, and what looks like one never', () => {
      const checkout = join(folder, 'checkout');
      const entry = forge(checkout);
      const forged = readFileSync(join(checkout, basename(entry)), 'utf8');
      build({...alone, names: ['b'], user: ben});
      const [other = ''] = files('ac');
      const seal = /"seal":"\w+",/.exec(readFileSync(other, 'utf8'))?.[0] ?? '';
      expect(seal).not.toBe('');
      mkdirSync(dirname(entry), {recursive: true});
      for (const mark of [seal, '"seal":"","', '"seal":null,', seal.replace(/\w{64}/, '0'.repeat(64))]) {
        writeFileSync(entry, forged.replace('"sum"', `${mark}"sum"`));
        chownSync(entry, ben.id, group);
        expect(build({...alone, names: ['a'], user: ben})).toMatchObject({right: true, executed: 1});
      }
    });

    test('a link to it in the place of the store is refused', () => {
      const store = join(folder, 'store');
      const entry = forge(join(folder, 'checkout'));
      renameSync(join(folder, 'checkout', basename(entry)), entry);
      const real = join(folder, 'real');
      renameSync(store, real);
      // As if all of it came with the checkout.
      execFileSync('chown', ['-R', `${ben.id}:${group}`, real]);
      execFileSync('chmod', ['-R', 'go-w', real]);
      symlinkSync(real, store);
      lchownSync(store, ada.id, group);
      const built = build({...alone, names: ['a'], user: ben});
      expect(built).toMatchObject({right: true, executed: 1});
      expect(built.messages[0]).toMatch(/lies behind .*\/store, a symbolic link of the user 64001$/);
      // Whoever made the link may lead there.
      lchownSync(store, ben.id, group);
      expect(build({...alone, names: ['a'], user: ben})).toMatchObject({right: false, cached: 1});
    });
  });

  test.each(['fifo', 'link', 'socket', 'directory'])('of whom one puts a %s in place of entries', (kind) => {
    shared(0o2770);
    build({...both, user: ada});
    const planted = [...files('ac'), ...files('cas')];
    for (const path of planted) {
      rmSync(path);
      if (kind === 'fifo') execFileSync('mkfifo', ['-m', '666', path]);
      else if (kind === 'link') symlinkSync('/dev/zero', path);
      else if (kind === 'directory') mkdirSync(path);
      else
        execFileSync('python3', [
          '-c',
          'import socket, sys, os; os.chdir(os.path.dirname(sys.argv[1])); socket.socket(socket.AF_UNIX).bind(os.path.basename(sys.argv[1]))',
          path,
        ]);
    }
    expect(build({...both, user: ben})).toMatchObject({right: true});
    if (kind === 'directory') return;
    execFileSync('mkfifo', [join(folder, 'store/ac/fifo')]);
    expect(build({...both, user: ben}).special).toEqual([join(folder, 'store/ac/fifo')]);
  });
});
