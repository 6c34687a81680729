import {describe, expect, test} from '@jest/globals';
import {
  compareVersions,
  parsePatchlevel,
  parseVersion,
  type PythonVersion,
} from '../../../../src/cpython/interpreter/version.js';

const parsed = (text: string): PythonVersion => {
  const version = parseVersion(text);
  if (!version) throw new Error(text);
  return version;
};

describe('parseVersion', () => {
  test.each([
    ['3.13.15', '3.13', 0x030d0ff0],
    ['3.10.0', '3.10', 0x030a00f0],
    ['3.15.0a2+', '3.15', 0x030f00a2],
    ['3.14.0rc3', '3.14', 0x030e00c3],
  ])('%s', (text, series, hex) => {
    expect(parseVersion(text)).toMatchObject({text, series, hex});
  });

  test.each(['3.13', '3.13.', 'v3.13.1', '3.13.1-dev', ''])('not %p', (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });

  test('orders by release, not by text', () => {
    const texts = ['3.13.15', '3.9.20', '3.14.0rc1', '3.13.5', '3.14.0', '3.14.0a7'];
    expect(
      texts
        .map(parsed)
        .sort(compareVersions)
        .map(({text}) => text),
    ).toEqual([...['3.9.20', '3.13.5', '3.13.15', '3.14.0a7', '3.14.0rc1', '3.14.0']]);
  });
});

describe('parsePatchlevel', () => {
  test('reads PY_VERSION', () => {
    const header = '#define PY_MAJOR_VERSION 3\n/* c */\n#define PY_VERSION              "3.13.15"\n';
    expect(parsePatchlevel(header)).toMatchObject({ok: true, value: {major: 3, minor: 13, micro: 15}});
  });
  test.each(['', '#define PY_VERSION "later"\n'])('fails for %p', (header) => {
    expect(parsePatchlevel(header)).toMatchObject({ok: false, failure: {code: 'SOURCE_TREE'}});
  });
});
