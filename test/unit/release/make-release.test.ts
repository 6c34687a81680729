import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {release} from '../../../src/release/make-release.js';
import {hostContext} from '../../support/host-site.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

const folder = temporaryDirectory('make-release');
const selection = {
  ...{startup: true, traces: [], strictTraces: false, modules: [], packages: [], stdlib: false, exclude: []},
  ...{
    frozenFirst: false,
    restsCollector: false,
    exitsFast: false,
    preparesExpressions: true,
    preparesSnippets: true,
  },
};

function attempt(configureArguments: readonly string[], profile?: string): ReturnType<typeof release> {
  const places = {source: join(folder, 'source'), buildDir: join(folder, 'build'), out: join(folder, 'out')};
  const flags = {makeArguments: [], pie: false, builtinExtensions: false, debugInfo: false, cc: undefined};
  const options = {...places, ...flags, configureArguments};
  return release({options, selection, profile}, hostContext(folder));
}

test.each(['--prefix=/usr', '--exec-prefix=/usr', '--enable-shared', '--enable-framework'])(
  '%s cannot be used: a release is relocatable, with one executable',
  async (word) => {
    expect(await attempt(['--with-lto', word])).toMatchObject({
      ok: false,
      failure: {
        code: 'USAGE',
        message: expect.stringContaining('--prefix'),
        hint: expect.stringContaining('omit'),
      },
    });
  },
);

test('an optimised build needs a recorded profile', async () => {
  expect(await attempt(['--enable-optimizations'])).toMatchObject({
    ok: false,
    failure: {
      code: 'USAGE',
      message: expect.stringContaining('irreproducible'),
      hint: expect.stringContaining('--record-profile'),
    },
  });
});

test('with one, and with other options, it is the source tree that is looked at next', async () => {
  for (const tried of [
    await attempt(['--enable-optimizations'], join(folder, 'profile')),
    await attempt(['--with-lto', '--enable-ipv6']),
  ]) {
    expect(tried.ok).toBe(false);
    expect(tried.ok ? '' : tried.failure.code).not.toBe('USAGE');
    expect(tried.ok ? '' : tried.failure.message).toContain(join(folder, 'source'));
  }
});
