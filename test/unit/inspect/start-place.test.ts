import {mkdirSync, readdirSync, realpathSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {filesOfStarts, makeBytecodePlaces} from '../../../src/inspect/start-place.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';

test('the files of a start: its bytecode, and what lies beside the sources', async () => {
  const root = temporaryDirectory('start-place');
  const library = join(root, 'library');
  mkdirSync(join(library, 'lib-dynload'), {recursive: true});
  for (const name of ['a.py', 'b.so', 'notes.txt', 'lib-dynload/c.so'])
    writeFileSync(join(library, name), '');
  const places = await makeBytecodePlaces(root);
  const side = {file: process.execPath, name: 'python', environment: {}};
  mkdirSync(join(places.filled, library), {recursive: true});
  writeFileSync(join(places.filled, library, 'a.cpython-313.pyc'), '');
  expect((await filesOfStarts({sides: [side], files: [join(root, 'image')]}, places)).toSorted()).toEqual(
    [
      realpathSync(process.execPath),
      join(root, 'image'),
      join(places.filled, library, 'a.cpython-313.pyc'),
      ...['a.py', 'b.so', 'lib-dynload/c.so'].map((name) => join(library, name)),
    ].toSorted(),
  );
  // Made anew, both are empty.
  await makeBytecodePlaces(root);
  expect([readdirSync(places.filled), readdirSync(places.empty)]).toEqual([[], []]);
});
