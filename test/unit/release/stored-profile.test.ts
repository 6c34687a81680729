import {mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {writeArchive} from '../../../src/release/archive/archive.js';
import {openSourceTree} from '../../../src/cpython/source/source-tree.js';
import {openSlots} from '../../../src/exec/job-slots.js';
import {recordProfile, storedProfile} from '../../../src/release/stored-profile.js';
import {unpack} from '../../../src/release/archive/unpack.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {readFiles, SMALL_TREE, writeFiles} from '../cpython/folders.js';

const run = {environment: {PATH: process.env['PATH'] ?? ''}, signal: new AbortController().signal};
let folder = '';
beforeEach(() => {
  folder = temporaryDirectory('profile');
});

async function packed(files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, 'counts');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), {recursive: true});
    writeFileSync(join(root, name), text);
  }
  const archive = join(folder, 'profile.tar');
  expect(await writeArchive(root, 'profile', archive, 0, run)).toMatchObject({ok: true});
  return `${archive}.xz`;
}

test('is unpacked beside its objects, creating directories', async () => {
  const profile = storedProfile(await packed({'Objects/dict.gcda': 'a', 'Modules/_io/io.gcda': 'b'}));
  const build = join(folder, 'build');
  expect(await profile.unpackInto(build)).toEqual({ok: true, value: undefined});
  expect(readFileSync(join(build, 'Objects', 'dict.gcda'), 'utf8')).toBe('a');
  expect(readFileSync(join(build, 'Modules', '_io', 'io.gcda'), 'utf8')).toBe('b');
});

test('with other files, or of another format, is rejected', async () => {
  const profile = storedProfile(await packed({Makefile: 'all: ; echo'}));
  const build = join(folder, 'build');
  expect(await profile.unpackInto(build)).toMatchObject({ok: false, failure: {code: 'USAGE'}});
  writeFileSync(join(folder, 'text'), 'text');
  expect(await storedProfile(join(folder, 'text')).unpackInto(build)).toMatchObject({
    ok: false,
    failure: {code: 'IO'},
  });
  expect(readdirSync(folder)).not.toContain('build');
});

/** Configures a directory in which training leaves what `counts` lists. */
const configure = (counts: readonly string[]): string => `#!/bin/sh
: > Makefile.pre
: > config.status
cat > Makefile <<END
srcdir=$(dirname "$0")
profile-run-stamp:
\tmkdir -p Objects build/temp && echo $(dirname "$0") \\$(TASK) | tee ${counts.join(' ')} $(dirname "$0")/Lib/os.pyc
END
`;

async function record(counts: readonly string[]): Promise<{readonly ok: boolean; readonly file: string}> {
  const source = writeFiles(join(folder, 'source'), {...SMALL_TREE, configure: configure(counts)});
  const before = readFiles(source);
  const tree = await openSourceTree(source);
  if (!tree.ok) throw new Error(tree.failure.message);
  const {slots} = openSlots(1, 1, undefined);
  const file = join(folder, 'recorded.tar.xz');
  const options = {
    ...{source, buildDir: join(folder, 'build'), out: undefined, configureArguments: []},
    ...{
      makeArguments: ['TASK=trained'],
      pie: false,
      builtinExtensions: false,
      debugInfo: false,
      cc: undefined,
    },
  };
  const context = {
    events: {emit: () => undefined},
    cwd: folder,
    ...{signal: run.signal, userEnvironment: run.environment, cacheDir: join(folder, 'cache')},
    ...{jobs: slots, force: false, dryRun: false, verify: true},
  };
  const recorded = await recordProfile(file, tree.value, options, context);
  slots.close();
  expect(readFiles(source)).toEqual(before);
  if (!recorded.ok) expect(recorded).toMatchObject({failure: {code: 'STAGE1'}});
  return {ok: recorded.ok, file};
}

test('has the counts beside the objects, without those of setup.py', async () => {
  const {ok, file} = await record(['Objects/dict.gcda', 'Objects/dict.o', 'build/temp/module.gcda']);
  expect(ok).toBe(true);
  // The directory that compiles by it has the source tree by the same name.
  expect(await unpack(file)).toMatchObject({
    ok: true,
    value: [{path: 'profile/Objects/dict.gcda', content: Buffer.from('../source trained\n')}],
  });
  expect(readdirSync(join(folder, 'build', 'recording'))).toEqual(['lock', 'profile', 'profile.tar.xz']);
});

test('fails if there are no counts', async () => {
  expect((await record(['Objects/dict.o'])).ok).toBe(false);
});
