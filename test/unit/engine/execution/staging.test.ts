import {existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {createStager, holds, settle, sweep, type Staging} from '../../../../src/engine/execution/staging.js';
import type {ActionSpec} from '../../../../src/model/action-spec.js';
import {digestOf} from '../../../../src/model/digest.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {specOf} from '../parts.js';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = temporaryDirectory();
});

/** An action that writes these files, by name. */
const writing = (...names: string[]): ActionSpec =>
  specOf('cc:a', {outputs: names.map((name) => ({name, path: at(name)}))});

const writingAt = (path: string): ActionSpec => specOf('cc:a', {outputs: [{name: 'output', path}]});

async function open(stager: ReturnType<typeof createStager>, spec: ActionSpec): Promise<Staging> {
  const staging = await stager.open(spec);
  if (!staging.ok) throw new Error(staging.failure.message);
  return staging.value;
}

describe('staging', () => {
  test('outputs have their final names, in a temporary directory beside the final place', async () => {
    const {paths, clear} = await open(createStager(folder), writing('a.o', 'sub/b.o'));
    expect(paths['a.o']).toMatch(new RegExp(`^${folder}/\\.flashfreeze-[^/]+/a\\.o$`));
    expect(paths['sub/b.o']).toMatch(new RegExp(`^${folder}/sub/\\.flashfreeze-[^/]+/b\\.o$`));
    writeFileSync(paths['a.o'] ?? '', 'half');
    await clear();
    expect(readdirSync(folder, {recursive: true})).toEqual(['sub']);
  });

  test('two actions share the directory, which stays until both are done', async () => {
    const stager = createStager(folder);
    const [first, second] = [await open(stager, writing('a.o')), await open(stager, writing('b.o'))];
    writeFileSync(first.paths['a.o'] ?? '', 'a');
    writeFileSync(second.paths['b.o'] ?? '', 'b');
    await first.clear();
    expect(readFileSync(second.paths['b.o'] ?? '', 'utf8')).toBe('b');
    await second.clear();
    expect(readdirSync(folder)).toEqual([]);
    const again = await open(stager, writing('a.o'));
    writeFileSync(again.paths['a.o'] ?? '', 'a');
    await again.clear();
  });

  test('paths in the build directory are the same in each build, whose launcher looks results up by them', async () => {
    const [one, other] = [temporaryDirectory(), temporaryDirectory()];
    const below = async (buildDir: string): Promise<string> => {
      const {paths, clear} = await open(createStager(buildDir), writingAt(join(buildDir, 'work', 'a.o')));
      await clear();
      return relative(buildDir, paths['output'] ?? '');
    };
    expect(await below(one)).toBe(await below(one));
    expect(await below(one)).toBe(await below(other));
  });

  test('paths elsewhere cannot be guessed', async () => {
    const outside = async (): Promise<string> => {
      const {paths, clear} = await open(createStager(join(folder, 'build')), writing('a.o'));
      await clear();
      return paths['a.o'] ?? '';
    };
    expect(await outside()).not.toBe(await outside());
  });

  describe.each([
    ['in the build directory', '.'],
    ['elsewhere', 'build'],
  ])('%s', (_, name) => {
    test('what a killed build of this build directory left is removed, and its tools write nowhere', async () => {
      const build = join(folder, name);
      const killed = await open(createStager(build), writing('a.o'));
      writeFileSync(killed.paths['a.o'] ?? '', 'half');
      const other = await open(createStager('/another/build'), writing('a.o'));
      const next = await open(createStager(build), writing('a.o'));
      expect(next.paths['a.o']).not.toBe(killed.paths['a.o']);
      expect(existsSync(dirname(killed.paths['a.o'] ?? ''))).toBe(false);
      expect(existsSync(dirname(other.paths['a.o'] ?? ''))).toBe(true);
      await next.clear();
    });
  });

  test('a place that cannot be made fails, and leaves nothing', async () => {
    writeFileSync(at('file'), '');
    const staging = await createStager(folder).open(writing('a.o', 'file/b.o'));
    expect(staging).toMatchObject({ok: false, failure: {code: 'IO'}});
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

test('sweep removes files and directories with a prefix', async () => {
  writeFileSync(at('.tmp-1'), '');
  mkdirSync(at('.tmp-2/sub'), {recursive: true});
  writeFileSync(at('kept'), '');
  await sweep(folder, '.tmp-');
  await sweep(at('missing'), '.tmp-');
  expect(readdirSync(folder)).toEqual(['kept']);
});

describe('settle', () => {
  const content = {digest: digestOf('object'), size: 6};
  const output = (executable = false) => ({name: 'a.o', path: at('a.o'), executable});
  const modeOf = (): number => statSync(at('a.o')).mode & 0o777;
  beforeEach(() => {
    writeFileSync(at('new'), 'object', {mode: 0o600});
  });

  test('moves a new file into place, with the mode of an output', async () => {
    await settle(at('new'), output(), content);
    expect([readdirSync(folder), modeOf()]).toEqual([['a.o'], 0o644]);
  });

  test('leaves an equal file untouched, but for its mode', async () => {
    writeFileSync(at('a.o'), 'object');
    const before = statSync(at('a.o'), {bigint: true});
    await settle(at('new'), output(true), content);
    const after = statSync(at('a.o'), {bigint: true});
    expect([after.ino, after.mtimeNs, modeOf()]).toEqual([before.ino, before.mtimeNs, 0o755]);
  });

  test('replaces a file of another content', async () => {
    writeFileSync(at('a.o'), 'OBJECT');
    await settle(at('new'), output(), content);
    expect(readFileSync(at('a.o'), 'utf8')).toBe('object');
  });

  test('a place that cannot be written is a failure with its path', async () => {
    mkdirSync(at('a.o/x'), {recursive: true});
    expect(await settle(at('new'), output(), content)).toMatchObject({
      ok: false,
      failure: {code: 'IO', message: expect.stringContaining(at('a.o'))},
    });
  });
});

test.each([
  ['the same content', {digest: digestOf('object')}, true],
  ['the same content and size', {digest: digestOf('object'), size: 6}, true],
  ['another content', {digest: digestOf('OBJECT'), size: 6}, false],
  ['another size', {digest: digestOf('object'), size: 7}, false],
])('holds: %s', async (_, content, expected) => {
  writeFileSync(at('a.o'), 'object');
  expect(await holds(at('a.o'), content)).toBe(expected);
  expect(await holds(at('missing'), content)).toBe(false);
});
