import {appendFileSync, existsSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {openSlots} from '../../../../src/exec/job-slots.js';
import {scrubbedEnvironment} from '../../../../src/exec/environment.js';
import {withEngine} from '../../../../src/pipeline/session.js';
import {sourceHost} from '../../../../src/hosts/source/source-host.js';
import type {Reproducible} from '../../../../src/hosts/source/reproducible-build.js';
import type {EventInput} from '../../../../src/model/events.js';
import {ok} from '../../../../src/model/result.js';
import {hostContext} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {SMALL_TREE, writeFiles} from '../../cpython/folders.js';

const folder = temporaryDirectory();

/** Names its tree in the Makefile, as CPython's does. What make builds there is no Python, so that every build fails. */
const CONFIGURE = `#!/bin/sh
source=$(dirname "$0")
echo "$source" > config.status
: > pyconfig.h
printf 'srcdir=\\t\\t%s\\npython:\\n\\texit 1\\n' "$source" > Makefile
`;

/** A tree of the same files each time. */
function tree(name: string): string {
  return writeFiles(join(folder, name), {...SMALL_TREE, configure: CONFIGURE});
}

/** Builds as far as it goes, and gives what it told. */
async function build(
  source: string,
  dryRun = false,
  reproducible?: Reproducible,
): Promise<readonly EventInput[]> {
  const buildDir = join(folder, 'build');
  const place = {source, buildDir, out: undefined, configureArguments: [], makeArguments: []};
  const options = {...place, pie: false, debugInfo: false, builtinExtensions: false, cc: undefined};
  const host = await sourceHost(options, reproducible);
  if (!host.ok) throw new Error(host.failure.message);
  const told: EventInput[] = [];
  const {slots} = openSlots(1, 1, undefined);
  const context = hostContext(folder, {
    events: {emit: (event) => void told.push(event)},
    jobs: slots,
    dryRun,
  });
  const built = await withEngine(buildDir, context, (engine) =>
    host.value.prepare({engine, context, environment: scrubbedEnvironment({}, process.env)}),
  );
  expect(built).toMatchObject({ok: false, failure: {code: dryRun ? 'DRY_RUN' : 'STAGE1'}});
  slots.close();
  return told;
}

const configured = (told: readonly EventInput[]): unknown =>
  told.find((event) => event.type === 'action-finished' && event.id === 'configure:python');

test('a build directory that was configured for another tree of equal files is configured again', async () => {
  const [one, other] = [tree('one'), tree('other')];
  expect(configured(await build(one))).toMatchObject({outcome: 'executed'});
  expect(configured(await build(one))).toMatchObject({outcome: 'fresh'});
  // A dry run leaves everything as it is, and says what it says where CPython has to be built first.
  expect(configured(await build(other, true))).toBeUndefined();
  expect(configured(await build(one))).toMatchObject({outcome: 'fresh'});
  const told = await build(other);
  expect(configured(told)).toMatchObject({outcome: 'executed'});
  expect(told.filter(({type}) => type === 'notice')).toMatchObject([
    {message: expect.stringMatching(/built from .*\/one: rebuilding CPython from .*\/other$/)},
  ]);
  expect(configured(await build(other))).toMatchObject({outcome: 'fresh'});
  // Of a tree that is gone the directory is not, either.
  rmSync(other, {recursive: true});
  expect(configured(await build(one))).toMatchObject({outcome: 'executed'});
});

test('the build directory of a release is emptied when anything differs, including the library and the profile', async () => {
  const source = tree('released');
  const [profile, left] = [join(folder, 'profile'), join(folder, 'build', 'cpython', 'left.o')];
  const release = async (words: Reproducible = {}): Promise<'emptied' | 'kept'> => {
    writeFileSync(left, '');
    const told = configured(await build(source, false, words));
    const isThere = existsSync(left);
    expect(told).toMatchObject({outcome: isThere ? 'fresh' : 'executed'});
    return isThere ? 'kept' : 'emptied';
  };
  await build(source);
  expect(await release()).toBe('emptied');
  expect(await release()).toBe('kept');
  utimesSync(join(source, 'Lib/os.py'), new Date(), new Date());
  expect(await release()).toBe('kept');
  appendFileSync(join(source, 'Lib/os.py'), '# edited\n');
  utimesSync(join(source, 'Lib/os.py'), 1, 1);
  expect(await release()).toBe('emptied');
  writeFileSync(profile, 'one');
  const stored = {profile: {path: profile, unpackInto: () => Promise.resolve(ok())}};
  expect(await release(stored)).toBe('emptied');
  expect(await release(stored)).toBe('kept');
  writeFileSync(profile, 'another');
  expect(await release(stored)).toBe('emptied');
});
