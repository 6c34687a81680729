import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {overlayPlaces} from '../../../../src/hosts/overlay/overlay-host.js';
import type {Target} from '../../../../src/cpython/interpreter/target.js';
import type {FreezeMethod} from '../../../../src/inspect/trial/freeze-program.js';
import {commandsFor, snapshotAdvice} from '../../../../src/inspect/trial/permanent-commands.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const script = {options: ['-u'], program: {kind: 'script', path: '/bin/hg'} as const, arguments: ['a b']};

test('a new executable, which is started with the script', () => {
  expect(commandsFor({python: '/usr/bin/python3', command: script}, 'graft', '3.13.5')).toEqual({
    permanent: [
      ...['flashfreeze', 'relink', '--python', '/usr/bin/python3'],
      ...['--trace', "-u /bin/hg 'a b'", '--out', './hg-frozen'],
    ],
    start: ['./hg-frozen', '-u', '/bin/hg', 'a b'],
  });
});

test('in a virtual environment, beside its others', () => {
  const root = temporaryDirectory('permanent-commands');
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'pyvenv.cfg'), '');
  const command = {options: [], program: {kind: 'module', name: 'json.tool'} as const, arguments: []};
  const {start} = commandsFor({python: join(root, 'bin', 'python'), command}, 'link', '3.13.5');
  expect(start[0]).toBe(join(root, 'bin', 'json.tool-frozen'));
});

test('an overlay, by the wrapper that it has', () => {
  const {permanent, start} = commandsFor({python: '/usr/bin/python3', command: script}, 'overlay', '3.14.0');
  const target = {version: {series: '3.14'}, extensionSuffix: '.so'} as Target;
  expect(permanent).toEqual(expect.arrayContaining(['overlay', '--out', 'hg-overlay']));
  expect(start[0]).toBe(`./${overlayPlaces('hg-overlay', target).wrapper}`);
});

test.each<[string, FreezeMethod, string]>([
  ['3.13.5', 'link', '--snapshot tries it'],
  ['3.13.5', 'graft', 'relinked or built from source;'],
  ['3.14.2', 'link', 'built from source, instead of 3.14.2;'],
  ['3.131.0', 'link', 'built from source, instead of 3.131.0;'],
])('what a snapshot of a program of %s needs, frozen by %s', (version, method, text) => {
  expect(snapshotAdvice(version, method)).toContain(text);
});
