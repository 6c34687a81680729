import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {Recording} from '../../../../src/fs/recording.js';
import {digestOf} from '../../../../src/model/digest.js';
import {ok} from '../../../../src/model/result.js';
import {createSiteCompiler} from '../../../../src/pipeline/images/site-compiler.js';
import {fakeToolchain, script} from '../../../support/fake-toolchain.js';
import {inSite} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

test('the files of a codec are inputs; each encoding is asked about once', async () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'odd.pth'), 'import odd');
  const answer = JSON.stringify({
    start: [],
    sites: [],
    files: [join(folder, 'odd.pth')],
    folders: [folder, '/no/such/directory'],
  });
  script(
    join(folder, 'python'),
    `#!/bin/sh\nfor word; do before=$answer; answer=$request; request=$word; done\ncat "$request" >> ${folder}/asked\necho '${answer}' > "$answer"\n`,
  );
  const recording = new Recording();
  const {result} = await inSite(folder, async ({engine}) => {
    const {inputsFor, stop} = createSiteCompiler(fakeToolchain(folder).interpreter, 1, engine);
    const [first, same] = [inputsFor('odd'), inputsFor('odd')];
    expect(same).toBe(first);
    const other = await recording.run(() => inputsFor('rot'));
    await stop();
    return other.ok ? first : other;
  });
  const [name, path] = ['site/odd.pth', join(folder, 'odd.pth')];
  expect(result).toEqual(ok([{name, path, digest: digestOf('import odd')}]));
  const asked = readFileSync(join(folder, 'asked'), 'utf8');
  expect([...asked.matchAll(/"encoding":\s*"(\w+)"/g)].map(([, encoding]) => encoding).sort()).toEqual([
    'odd',
    'rot',
  ]);
  // A build that asked is repeated only after one of these has changed: other directories may get a .pth file, or appear.
  expect(recording.gap()).toBeUndefined();
  const read = recording.paths().map(({path, aspect}) => `${aspect} ${path}`);
  expect(read).toEqual(expect.arrayContaining([`entries ${folder}`, 'entries /no/such/directory']));
});

test('an answer that fails is asked for again by each build', async () => {
  const folder = temporaryDirectory();
  script(join(folder, 'python'), '#!/bin/sh\nexit 3\n');
  const recording = new Recording();
  const {result} = await inSite(folder, ({engine}) =>
    recording.run(() => createSiteCompiler(fakeToolchain(folder).interpreter, 1, engine).inputsFor('odd')),
  );
  expect(result).toMatchObject({ok: false});
  expect(recording.gap()).toMatch(/codec odd/);
});
