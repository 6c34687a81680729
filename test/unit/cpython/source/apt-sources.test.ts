import {describe, expect, test} from '@jest/globals';
import {
  checksumIn,
  parseSourcePackages,
  parseTargets,
  sourceEntries,
  suitesOf,
  trustOf,
  type AptTarget,
} from '../../../../src/cpython/source/apt-sources.js';

const target = (overrides: Partial<AptTarget> = {}): AptTarget => ({
  origin: 'Debian',
  suite: 'oldstable',
  repository: 'http://mirror.example/debian/',
  file: '/etc/apt/sources.list.d/debian.sources',
  entry: 1,
  ...overrides,
});

test('parseTargets reads what apt-get prints, and skips what it does not know', () => {
  const text = 'Debian|oldstable|http://mirror.example/debian/|/etc/apt/a.sources:2\nnonsense\n';
  expect(parseTargets(text)).toEqual([target({file: '/etc/apt/a.sources', entry: 2})]);
});

test('suitesOf: all of Debian, or the one that another distribution uses', () => {
  expect(suitesOf(target())).toEqual(['stable', 'oldstable', 'testing', 'unstable']);
  expect(suitesOf(target({suite: 'oldoldstable'}))[0]).toBe('oldoldstable');
  expect(suitesOf(target({origin: 'Ubuntu', suite: 'noble'}))).toEqual(['noble']);
});

describe('trust is taken over from the machine’s own entry', () => {
  const stanzas = [
    '# a comment',
    'Types: deb',
    'URIs: http://one.example',
    'Signed-By: /usr/share/keyrings/one.gpg',
    '',
    'Types: deb',
    '# another',
    'Signed-By:',
    ' -----BEGIN PGP PUBLIC KEY BLOCK-----',
    ' .',
    ' abc',
    'Suites: x',
  ].join('\n');

  test('a stanza with a keyring', () => {
    const entries = sourceEntries(target(), ['stable', 'testing'], trustOf(target(), stanzas));
    expect(entries.split('\n')).toEqual([
      'Types: deb-src',
      'URIs: http://mirror.example/debian/',
      'Suites: stable testing',
      'Components: main',
      'Signed-By: /usr/share/keyrings/one.gpg',
      '',
    ]);
  });

  test('a stanza with the key itself', () => {
    const second = target({entry: 2});
    expect(sourceEntries(second, ['stable'], trustOf(second, stanzas))).toContain(
      'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n',
    );
  });

  test('a line with options, and one without', () => {
    const list =
      'deb http://a.example stable main\ndeb [arch=amd64 signed-by=/k.gpg] http://b.example stable main\n';
    const of = (entry: number): string => {
      const line = target({file: '/etc/apt/sources.list', entry});
      return sourceEntries(line, ['stable'], trustOf(line, list));
    };
    expect(of(1)).not.toContain('igned');
    expect(of(2)).toContain('signed-by: /k.gpg\n');
    expect(of(2)).not.toContain('arch');
  });
});

describe('source packages', () => {
  const sha = 'a'.repeat(64);
  const stanza = (version: string, ...files: string[]): string =>
    [
      'Package: python3.13',
      `Version: ${version}`,
      'Checksums-Sha256:',
      ...files.map((file) => ` ${sha} 12 ${file}`),
    ].join('\n');

  test('parseSourcePackages reads versions and the names of the files', () => {
    const text = [
      stanza(
        '3.13.5-2+deb13u5',
        'p_3.13.5-2.dsc',
        'p_3.13.5.orig.tar.xz',
        'p_3.13.5.orig.tar.xz.asc',
        'p.debian.tar.xz',
      ),
      stanza('1:3.14.0~rc2-1', 'p_3.14.0~rc2-1.dsc', 'p_3.14.0~rc2.orig.tar.xz'),
      stanza('3.13.9-1', 'p_3.13.9-1.dsc'),
      stanza('3.12.1+dfsg-1', 'p.dsc', 'p_3.12.1+dfsg.orig.tar.xz'),
    ].join('\n\n');
    expect(
      parseSourcePackages(text).map(({upstream, archive, description}) => [upstream, archive, description]),
    ).toEqual([
      ['3.13.5', 'p_3.13.5.orig.tar.xz', 'p_3.13.5-2.dsc'],
      ['3.14.0rc2', 'p_3.14.0~rc2.orig.tar.xz', 'p_3.14.0~rc2-1.dsc'],
    ]);
  });

  test('checksumIn reads the sha256 section only', () => {
    const description = `Files:\n ${'b'.repeat(32)} 12 x.tar.xz\nChecksums-Sha256:\n ${sha} 12 x.tar.xz\n ${'c'.repeat(64)} 3 y\nFiles:\n`;
    expect(checksumIn(description, 'x.tar.xz')).toBe(sha);
    expect(checksumIn(description, 'z')).toBeUndefined();
    expect(checksumIn(`Files:\n ${sha} 12 x.tar.xz\n`, 'x.tar.xz')).toBeUndefined();
  });
});
