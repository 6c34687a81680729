import {chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {CONFIG_FILE, loadConfig, mergeOptions, withoutPrograms} from '../../../../src/cli/args/config.js';
import {selectionOf, sourceOptionsOf} from '../../../../src/cli/args/host-options.js';
import {defaultCacheDir} from '../../../../src/cache/default-cache-dir.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {testWith} from '../../../support/with.js';

let root: string;
beforeAll(() => {
  root = temporaryDirectory();
});

/** Puts a configuration file into a directory of its own. */
function write(folder: string, content: unknown): string {
  const path = join(root, folder, 'flashfreeze.config.json');
  mkdirSync(join(root, folder), {recursive: true});
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('the configuration file', () => {
  test('is found upwards; its paths start at its directory', async () => {
    write('project', {
      ...{source: '../cpython', buildDir: 'build', cacheDir: '/cache', cc: 'tools/cc', jobs: 2},
      ...{startup: true, trace: ['-c "import json"'], module: ['a'], package: ['b'], exclude: ['test.*']},
      ...{
        stdlib: false,
        configureArg: ['--with-lto'],
        makeArg: [],
        hashSeed: ['7'],
        runs: 3,
        command: ['-V'],
      },
    });
    const below = join(root, 'project/deep/deeper');
    mkdirSync(below, {recursive: true});
    expect(await loadConfig(undefined, below)).toEqual({
      ok: true,
      value: {
        ...{source: join(root, 'cpython'), 'build-dir': join(root, 'project/build')},
        ...{'cache-dir': '/cache', cc: join(root, 'project/tools/cc'), jobs: 2},
        ...{startup: true, trace: ['-c "import json"'], module: ['a'], package: ['b'], exclude: ['test.*']},
        ...{stdlib: false, 'configure-arg': ['--with-lto'], 'make-arg': [], 'hash-seed': ['7'], runs: 3},
        command: ['-V'],
      },
    });
  });

  test('counts only if nobody else may write it or its directory', async () => {
    const path = write('open/inner', {jobs: 2});
    write('open', {jobs: 1});
    const inner = dirname(path);
    const said: string[] = [];
    const notes = {notice: (text: string) => said.push(text), warn: (text: string) => said.push(text)};
    const load = () => loadConfig(undefined, inner, notes);
    expect(await load()).toEqual({ok: true, value: {jobs: 2}});
    chmodSync(path, 0o666);
    expect(await load()).toEqual({ok: true, value: {jobs: 1}});
    expect(await loadConfig(path, inner)).toEqual({ok: true, value: {jobs: 2}});
    chmodSync(path, 0o644);
    for (const mode of [0o777, 0o1777]) {
      chmodSync(inner, mode);
      expect(await load()).toEqual({ok: true, value: {jobs: 1}});
    }
    chmodSync(inner, 0o755);
    expect(said).toEqual([
      `using the configuration file ${path}`,
      `${path} is not used: others may write to it`,
      `using the configuration file ${join(root, 'open', CONFIG_FILE)}`,
      `${path} is not used: others may write to its directory`,
      `using the configuration file ${join(root, 'open', CONFIG_FILE)}`,
      `${path} is not used: others may write to its directory`,
      `using the configuration file ${join(root, 'open', CONFIG_FILE)}`,
    ]);
  });

  testWith(process.getuid?.() === 0, 'the right to be several users')(
    'of another user does not count',
    async () => {
      const path = write('foreign/inner', {cc: 'evil'});
      const link = join(root, 'foreign', CONFIG_FILE);
      symlinkSync(path, link);
      for (const owned of [path, dirname(path)]) {
        chownSync(owned, 64_001, 64_001);
        expect(await loadConfig(undefined, dirname(path))).toEqual({ok: true, value: {}});
        chownSync(owned, 0, 0);
      }
      lchownSync(link, 64_001, 64_001);
      expect(await loadConfig(undefined, join(root, 'foreign'))).toEqual({ok: true, value: {}});
    },
  );

  test.each(['.git', '.hg'])('is not searched for above a directory with %s', async (name) => {
    write('above', {jobs: 1});
    const repository = join(root, `above/with${name}`);
    mkdirSync(join(repository, name), {recursive: true});
    expect(await loadConfig(undefined, repository)).toEqual({ok: true, value: {}});
    mkdirSync(join(repository, 'below'));
    expect(await loadConfig(undefined, join(repository, 'below'))).toEqual({ok: true, value: {}});
  });

  test('in a dry run, starts no program', () => {
    const warn = jest.fn();
    const options = {cc: '/evil', python: '/evil', jobs: 2};
    expect(withoutPrograms(options, {notice: () => undefined, warn})).toEqual({jobs: 2});
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(/so cc and python in it is not used$/),
        expect.stringContaining('--cc and --python'),
      ],
    ]);
  });

  test('need not be there', async () => {
    mkdirSync(join(root, 'empty'));
    expect(await loadConfig(undefined, join(root, 'empty'))).toEqual({ok: true, value: {}});
  });

  test('the nearest one is used, unless --config is given', async () => {
    write('outer', {jobs: 1});
    write('outer/inner', {jobs: 2});
    const other = write('other', {jobs: 3});
    const inner = join(root, 'outer/inner');
    expect(await loadConfig(undefined, inner)).toEqual({ok: true, value: {jobs: 2}});
    expect(await loadConfig(other, inner)).toEqual({ok: true, value: {jobs: 3}});
  });

  test.each([
    [{jobs: 0}, /: jobs: .*>=1/, undefined],
    [{jobs: 'two'}, /: jobs: .*number/, undefined],
    [{trace: ['-V', 3]}, /: trace\[1\]: .*string/, undefined],
    [{trace: '-V'}, /: trace: .*array/, undefined],
    [{module: ['']}, /: module\[0\]: is empty/, undefined],
    [{sorce: 'x'}, /: unknown option sorce/, 'did you mean source?'],
    [{'build-dir': 'x'}, /: unknown option build-dir/, 'did you mean buildDir?'],
    [{json: true}, /: unknown option json/, undefined],
    [{__proto__x: 1}, /: unknown option __proto__x/, undefined],
    [[], /: the content: .*object/, undefined],
    ['{"jobs": 1,}', /is not valid JSON: /, undefined],
    ['', /is not valid JSON: /, undefined],
  ])('%j is an error', async (content, message, hint) => {
    const path = write('wrong', content);
    const loaded = await loadConfig(path, '/');
    expect(loaded).toMatchObject({ok: false, failure: {code: 'CONFIG'}});
    if (loaded.ok) throw new Error('it was read');
    expect(loaded.failure.message).toMatch(message);
    expect(loaded.failure.message.startsWith(path)).toBe(true);
    expect(loaded.failure.hint).toBe(hint);
  });

  test('all errors are reported', async () => {
    const loaded = await loadConfig(write('wrong', {jobs: 0, sorce: 'x', runs: true}), '/');
    if (loaded.ok) throw new Error('it was read');
    const {message, details = ''} = loaded.failure;
    for (const word of ['jobs', 'sorce', 'runs']) expect(`${message}\n${details}`).toContain(word);
    expect(details.split('\n')).toHaveLength(2);
  });

  test('that --config names must exist and be a file', async () => {
    const missing = join(root, 'nowhere.json');
    expect(await loadConfig(missing, '/')).toMatchObject({
      failure: {code: 'CONFIG', message: `configuration file ${missing} not found`},
    });
    expect(await loadConfig(root, '/')).toMatchObject({failure: {code: 'CONFIG'}});
  });
});

describe('file and command line', () => {
  test('the command line takes precedence, option by option; options of other commands are ignored', () => {
    const merged = mergeOptions(
      {jobs: 1, trace: ['a', 'b'], module: ['m'], runs: 5},
      {jobs: 4, trace: ['c']},
      ['jobs', 'trace', 'module'],
    );
    expect(merged).toEqual({jobs: 4, trace: ['c'], module: ['m']});
  });

  test('the default is the start-up modules', () => {
    const nothing = {
      ...{startup: false, traces: [], modules: [], packages: [], stdlib: false, exclude: []},
      frozenFirst: false,
      restsCollector: false,
      exitsFast: false,
      strictTraces: false,
      preparesExpressions: true,
      preparesSnippets: true,
    };
    expect(selectionOf({})).toEqual({...nothing, startup: true});
    expect(selectionOf({exclude: ['a*']})).toEqual({...nothing, startup: true, exclude: ['a*']});
    expect(selectionOf({stdlib: false})).toEqual({...nothing, startup: true});
    expect(selectionOf({module: ['a']})).toEqual({...nothing, modules: ['a']});
    expect(selectionOf({stdlib: true})).toEqual({...nothing, stdlib: true});
    expect(selectionOf({module: ['a'], startup: true})).toEqual({...nothing, modules: ['a'], startup: true});
    expect(selectionOf({precedence: 'frozen-first'})).toEqual({...nothing, startup: true, frozenFirst: true});
    expect(selectionOf({'strict-traces': true})).toEqual({...nothing, startup: true, strictTraces: true});
    expect(selectionOf({'rest-collector': true})).toEqual({...nothing, startup: true, restsCollector: true});
    expect(selectionOf({expressions: false})).toEqual({
      ...nothing,
      startup: true,
      preparesExpressions: false,
    });
    expect(selectionOf({snippets: false})).toEqual({...nothing, startup: true, preparesSnippets: false});
  });

  test('a build needs its two directories', () => {
    const problem = (options: Parameters<typeof selectionOf>[0]) =>
      sourceOptionsOf({command: 'build', word: undefined, options});
    expect(problem({'build-dir': '/b'})).toMatchObject({
      failure: {code: 'USAGE', message: 'build needs --source DIR'},
    });
    expect(problem({source: '/s'})).toMatchObject({
      failure: {code: 'USAGE', message: 'build needs --build-dir DIR'},
    });
    expect(problem({source: '/s', 'build-dir': '/b', 'make-arg': ['-k']})).toMatchObject({
      ok: true,
      value: {source: '/s', buildDir: '/b', out: undefined, makeArguments: ['-k'], configureArguments: []},
    });
  });
});

describe('the cache directory', () => {
  const at = (environment: Record<string, string>) => defaultCacheDir(environment, '/here');
  test('is our own variable, then the XDG one, then that of the home directory', () => {
    expect(at({FLASHFREEZE_CACHE_DIR: '/own', XDG_CACHE_HOME: '/xdg'})).toBe('/own');
    expect(at({FLASHFREEZE_CACHE_DIR: 'own'})).toBe('/here/own');
    expect(at({FLASHFREEZE_CACHE_DIR: '', XDG_CACHE_HOME: '/xdg'})).toBe('/xdg/flashfreeze');
    expect(at({XDG_CACHE_HOME: 'relative'})).toMatch(/\/\.cache\/flashfreeze$/);
    expect(at({HOME: '/home/ada'})).toBe('/home/ada/.cache/flashfreeze');
    // Never below the working directory, where others may have put files.
    for (const HOME of ['', '.', 'relative']) expect(at({HOME})).toMatch(/^\/.*\.cache\/flashfreeze$/);
    expect(at({})).toMatch(/\/\.cache\/flashfreeze$/);
  });
});
