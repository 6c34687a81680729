import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {relative, join} from 'node:path';
import {beforeEach, describe, expect, test} from '@jest/globals';
import {FIXED_ENVIRONMENT, scrubbedEnvironment} from '../../../src/exec/environment.js';
import {liveness, ownIdentity, processStart} from '../../../src/exec/liveness.js';
import {abortOnSignals} from '../../../src/exec/signals.js';
import {findTool, resolveCommand, resolveProgram} from '../../../src/exec/tools.js';
import {collectBounded, splitLines} from '../../../src/exec/output.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

describe('scrubbedEnvironment', () => {
  test('passes only local paths and fixes the rest', () => {
    const own = {
      PATH: '/bin',
      HOME: '/somewhere',
      PYTHONPATH: '/x',
      CFLAGS: '-O9',
      LC_ALL: 'de_DE',
      TZ: 'Europe/Berlin',
    };
    expect(scrubbedEnvironment({CC: 'gcc'}, own)).toEqual({
      ...FIXED_ENVIRONMENT,
      PATH: '/bin',
      HOME: '/somewhere',
      CC: 'gcc',
    });
  });

  test('lets what is declared win', () => {
    expect(scrubbedEnvironment({PATH: '/mine', TZ: 'CET'}, {PATH: '/bin'})).toMatchObject({
      PATH: '/mine',
      TZ: 'CET',
    });
  });
});

describe('findTool', () => {
  const tool = (place: string, mode = 0o755): string => {
    mkdirSync(join(folder, place), {recursive: true});
    const path = join(folder, place, 'tool');
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, mode);
    return path;
  };

  test('returns the first executable file', async () => {
    tool('plain', 0o644);
    mkdirSync(join(folder, 'folder', 'tool'), {recursive: true});
    const good = tool('good');
    tool('later');
    const path = ['nowhere', 'plain', 'folder', 'good', 'later'].map((name) => join(folder, name)).join(':');
    expect(await findTool('tool', path)).toBe(good);
  });

  test('makes relative paths absolute, and keeps a path unchanged', async () => {
    const good = tool('good');
    expect(await findTool('tool', relative('.', join(folder, 'good')))).toBe(good);
    expect(await findTool(good, '')).toBe(good);
    expect(await findTool(relative('.', good), '')).toBe(good);
  });

  test('finds nothing in an empty PATH', async () => {
    expect(await findTool('tool', folder)).toBeUndefined();
    expect(await findTool('', folder)).toBeUndefined();
    expect(await findTool(folder)).toBeUndefined();
  });
});

test.each([
  ['gcc', 'gcc'],
  ['/usr/bin/gcc -O1', '/usr/bin/gcc -O1'],
  ['bin/gcc', '/here/bin/gcc'],
  ['./bin/gcc -I../include -DX="a b"', `/here/bin/gcc -I../include '-DX=a b'`],
  ["'my tools/cc' -O1", "'/here/my tools/cc' -O1"],
  [String.raw`my\ tools/cc`, "'/here/my tools/cc'"],
  ['"/opt/my tools/cc" -O1', '"/opt/my tools/cc" -O1'],
  ['ccache gcc', 'ccache gcc'],
  ['env PATH=bin/x gcc', 'env PATH=bin/x gcc'],
  ['ccache bin/missing', 'ccache bin/missing'],
  ['', ''],
])('the command %s counts from a directory', (command, resolved) => {
  expect(resolveCommand(command, '/here')).toBe(resolved);
});

test('a compiler behind a launcher counts from the directory, its flags do not', () => {
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'gcc'), '');
  writeFileSync(join(folder, 'gcc'), '');
  expect(resolveCommand('ccache bin/gcc -B bin/gcc', folder)).toBe(`ccache ${folder}/bin/gcc -B bin/gcc`);
  expect(resolveCommand('ccache gcc', folder)).toBe('ccache gcc');
});

test('a program is one path, whatever is in it', () => {
  expect(resolveProgram('my "python"/bin/python -x', '/here')).toBe('/here/my "python"/bin/python -x');
  expect(resolveProgram('python 3', '/here')).toBe('python 3');
});

describe('liveness', () => {
  test('recognises this process, and not another one with its number', () => {
    const own = ownIdentity();
    expect(liveness(own)).toBe('running');
    expect(liveness({...own, start: '1'})).toBe('ended');
    expect(liveness({...own, boot: 'before'})).toBe('ended');
    expect(liveness({...own, host: 'elsewhere'})).toBe('unknown');
  });

  test('finds no start time of a missing process', () => {
    expect(processStart(2 ** 30)).toBeUndefined();
    expect(processStart(process.pid)).toMatch(/^\d+$/);
  });
});

test('abortOnSignals aborts once and can be taken back', async () => {
  const before = process.listenerCount('SIGTERM');
  const interruption = abortOnSignals();
  expect(interruption.signal.aborted).toBe(false);
  const aborted = new Promise((done) => {
    interruption.signal.addEventListener('abort', done);
  });
  process.emit('SIGTERM', 'SIGTERM');
  await aborted;
  expect([interruption.signal.aborted, interruption.received()]).toEqual([true, 'SIGTERM']);
  interruption.dispose();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});

describe('output', () => {
  test('is kept completely up to the limit, whatever the chunks', () => {
    for (const size of [1, 3, 7, 10]) {
      const collector = collectBounded(10);
      for (let at = 0; at < 10; at += size) collector.add(Buffer.from('0123456789'.slice(at, at + size)));
      expect(collector.text()).toBe('0123456789');
    }
  });

  test('beyond the limit loses its middle, whatever the chunks', () => {
    for (const size of [1, 3, 7, 26]) {
      const collector = collectBounded(10);
      const text = 'abcdefghijklmnopqrstuvwxyz';
      for (let at = 0; at < text.length; at += size) collector.add(Buffer.from(text.slice(at, at + size)));
      expect(collector.text()).toBe('abcde\n[16 bytes left out]\nvwxyz');
    }
  });

  test('is cut into lines, not into bytes', () => {
    const seen: string[] = [];
    const lines = splitLines((text) => seen.push(text));
    for (const byte of Buffer.from('ä\nö\n\nü')) lines.add(Buffer.from([byte]));
    lines.end();
    expect(seen).toEqual(['ä', 'ö', '', 'ü']);
  });
});
