import {describe, expect, test} from '@jest/globals';
import {folderName, mentionsFolder} from '../../../src/pipeline/folder-names.js';
import type {HostContext} from '../../../src/pipeline/build-options.js';
import {mentionsLocalPath} from '../../../src/pipeline/local-paths.js';

describe('the name of a directory', () => {
  test.each(['/src', '-I/src', '-I/src/x.h', '"/src"', 'a:/src:b', 'say(/src).', '/src.', '/src;', '/src/'])(
    'is in %s',
    (text) => {
      expect(mentionsFolder(text, '/src')).toBe(true);
    },
  );

  test.each(['/usr/src', '/src-2', '/srcs', '/src.old', './src', '~/src', 'é/src', '/srcé', '/SRC', ''])(
    'is not in %j',
    (text) => {
      expect(mentionsFolder(text, '/src')).toBe(false);
    },
  );

  test('may consist of what has a meaning in regular expressions', () => {
    const name = '/a+b (c)/[d]{e}^$|f\\g?*';
    expect(`x ${name} y`.replace(folderName(name), 'there')).toBe('x there y');
    expect(mentionsFolder('/aab (c)/d', '/a+b (c)/[d]')).toBe(false);
  });

  test('is found each time it is there', () => {
    expect('/src /src/a /usr/src -L/src'.replaceAll(folderName('/src'), '.')).toBe('. ./a /usr/src -L.');
  });
});

describe('text that a program compiles', () => {
  const context = {
    cwd: '/users/ada/project',
    userEnvironment: {HOME: '/users/ada'},
  } as unknown as HostContext;
  const isLocal = (text: string): boolean => mentionsLocalPath(text, '/builds/one', context);

  test('is local if it has the working directory, the home directory or the build directory', () => {
    expect(['^/users/ada/project', '/users/ada/.cache', '/builds/one/images'].map(isLocal)).toEqual([
      true,
      true,
      true,
    ]);
    expect(['/users/adam', '/builds/onetwo', '[a-z]+'].map(isLocal)).toEqual([false, false, false]);
  });

  test('is local also if the path is escaped', () => {
    expect(isLocal(String.raw`\/users\/ada\/x`)).toBe(true);
  });

  test('is not local because it has a slash, where the root is the working directory', () => {
    const root = {cwd: '/', userEnvironment: {}} as unknown as HostContext;
    expect(mentionsLocalPath('/usr/lib', '/builds/one', root)).toBe(false);
  });
});
