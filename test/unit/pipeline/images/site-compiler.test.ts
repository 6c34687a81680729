import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {digestOf} from '../../../../src/model/digest.js';
import {ok} from '../../../../src/model/result.js';
import {createSiteCompiler} from '../../../../src/pipeline/images/site-compiler.js';
import {fakeToolchain, script} from '../../../support/fake-toolchain.js';
import {inSite} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

test('the files of a codec are inputs; each encoding is asked about once', async () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'odd.pth'), 'import odd');
  const answer = JSON.stringify({files: [join(folder, 'odd.pth')], folders: [folder, '/no/such/directory']});
  script(
    join(folder, 'python'),
    `#!/bin/sh\nfor word; do before=$answer; answer=$request; request=$word; done\ncat "$request" >> ${folder}/asked\necho '${answer}' > "$answer"\n`,
  );
  const {result} = await inSite(folder, async ({engine}) => {
    const {inputsFor, stop} = createSiteCompiler(fakeToolchain(folder).interpreter, 1, engine);
    const [first, same] = [inputsFor('odd'), inputsFor('odd')];
    expect(same).toBe(first);
    const other = await inputsFor('rot');
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
});
