/** What `examples/library-under-edit` shows works as it stands there. */
import {mkdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, jest, test} from '@jest/globals';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {exampleRunner} from './example-runner.js';
import {prepareTree} from '../../support/cpython-trees.js';

jest.setTimeout(30 * 60_000);
const folder = temporaryDirectory('examples');
const example = exampleRunner(folder);

test('the standard library under edit', async () => {
  const tree = await prepareTree('3.13.15');
  tree.restore();
  mkdirSync(dirname(tree.buildDir), {recursive: true});
  // A store of its own: another run of this test may have left these very edits in the shared one.
  const lines = await example('library-under-edit', {
    SOURCE: tree.source,
    BUILD: tree.buildDir,
    FLASHFREEZE_CACHE_DIR: join(folder, 'store'),
  });
  expect(lines).toEqual([
    'no edit: executed: ',
    '[1] unchanged',
    expect.stringMatching(
      /^one statement: executed: "compile:json\.decoder","generate:json\.decoder",.*"link:python"$/,
    ),
    '[1] edited',
    expect.stringMatching(/^a comment: executed: "compile:json\.decoder"(,"link:stamps")?$/),
  ]);
});
