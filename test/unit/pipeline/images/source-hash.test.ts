import {randomBytes} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {execa} from 'execa';
import {type Layout, parseLayout} from '../../../../src/codegen/layout.js';
import {LAYOUTS_FOLDER} from '../../../../src/fs/package-files.js';
import {sipHash, sourceHash} from '../../../../src/pipeline/images/source-hash.js';
import {findPythons} from '../../../../support/pythons.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const SCRIPT = `
import _imp, sys
from importlib.util import MAGIC_NUMBER
for name in sys.argv[1:]:
    with open(name, 'rb') as file:
        print(int.from_bytes(_imp.source_hash(int.from_bytes(MAGIC_NUMBER, 'little'), file.read()), 'little'))
`;

test('every layout says which SipHash its Python has', () => {
  for (const series of ['3.10', '3.11', '3.12', '3.13', '3.14', '3.15'])
    expect(layoutOf(series).sipRounds).toEqual(series === '3.10' ? [2, 4] : [1, 3]);
});

test('SipHash-2-4 of nothing, with a key of zeros', () => {
  expect(sipHash(new Uint8Array(), 0, 2, 4)).toBe(0x1e924b9d737700d7n);
});

const folder = temporaryDirectory('hash');
const lengths = [0, 1, 7, 8, 9, 15, 16, 255, 256, 4096, 70_001];
const contents = lengths.map((length) => randomBytes(length));
const names = lengths.map((length) => join(folder, String(length)));

test.each(findPythons())('Python $series hashes sources as we do', async ({python, series}) => {
  names.forEach((name, i) => {
    writeFileSync(name, contents[i] ?? '');
  });
  const {stdout} = await execa(python, ['-I', '-c', SCRIPT, ...names]);
  const layout = layoutOf(series);
  expect(contents.map((content) => String(sourceHash(content, layout)))).toEqual(stdout.split('\n'));
});

function layoutOf(series: string): Layout {
  const header = `python${series}.h`;
  const layout = parseLayout(header, readFileSync(join(LAYOUTS_FOLDER, header), 'utf8'));
  if (!layout.ok) throw new Error(layout.failure.message);
  return layout.value;
}
