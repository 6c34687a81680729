import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {type Need, type Patchelf, findPatchelf} from '../../../../src/hosts/installed/patchelf.js';
import type {Result} from '../../../../src/model/result.js';
import {placesOf} from '../../../../src/pipeline/build-places.js';
import type {Site} from '../../../../src/pipeline/host.js';
import {script} from '../../../support/fake-toolchain.js';
import {hostContext} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

/** Notes its words; the rpath and the libraries are in files. */
const PATCHELF = `#!/bin/sh
here=$(dirname "$0")
case $1 in
--version) cat "$here/version" ;;
--print-rpath) cat "$here/rpath" ;;
--print-needed) cat "$here/needed" ;;
*) [ "$1" = "$(cat "$here/refused")" ] && { echo "no room" >&2; exit 1; }; echo "$*" >> "$here/edits" ;;
esac
`;

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = temporaryDirectory();
  script(at('patchelf'), PATCHELF);
  const files = {
    version: 'patchelf 0.18',
    rpath: '',
    needed: 'libm.so.6\nlibc.so.6\n',
    loader: '/lib64/ld-linux-x86-64.so.2\n',
    refused: '',
    edits: '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
});

const find = (): Promise<Result<Patchelf>> =>
  findPatchelf(placesOf(at('build')), {
    environment: {PATH: `${folder}:/usr/bin:/bin`},
    context: hostContext(folder),
  } as unknown as Site);
async function need(change: Partial<Need> = {}): Promise<Result<void>> {
  const found = await find();
  const usual = {library: '/out/python-images.so', origin: '/usr/bin', lendsRunPath: false};
  return found.ok ? found.value.need('/out/.fresh/python', {...usual, ...change}) : found;
}
const edits = (): string => readFileSync(at('edits'), 'utf8');

test('a version of patchelf is a tool of its own', async () => {
  const digest = async (): Promise<string | undefined> => {
    const found = await find();
    return found.ok ? found.value.identity.digest : undefined;
  };
  const first = await digest();
  expect(await digest()).toBe(first);
  script(at('patchelf'), PATCHELF.replace('cat "$here/version"', 'echo patchelf 0.19'));
  expect(await digest()).not.toBe(first);
});

test('the copy needs the library beside it, a copy of the copy the same one', async () => {
  expect(await need()).toEqual({ok: true, value: undefined});
  expect(edits()).toBe(
    '--set-rpath $ORIGIN:/out /out/.fresh/python\n--add-needed python-images.so /out/.fresh/python\n',
  );
});

test.each(['/o:ut', '/$LIB', 'bazel-out/bin'])('a directory that cannot be named: %s', async (folder) => {
  await need({library: `${folder}/python-images.so`});
  expect(edits()).toMatch(/^--set-rpath \$ORIGIN \/out\/.fresh\/python\n--add-needed python-images.so /);
});

test('directories that lie beside the original are named, as the copy lies elsewhere', async () => {
  writeFileSync(at('rpath'), '$ORIGIN/../lib:/opt/$ORIGINAL/lib:${ORIGIN}\n');
  await need();
  expect(edits()).toMatch(
    /^--set-rpath \/usr\/bin\/\.\.\/lib:\/opt\/\$ORIGINAL\/lib:\/usr\/bin:\$ORIGIN:\/out \/out\/.fresh\/python\n/,
  );
});

test('so are libraries whose names have that directory in them', async () => {
  writeFileSync(at('needed'), '$ORIGIN/../lib/libpython3.12.so.1.0\nlibc.so.6\n${ORIGIN}/libb.so\n');
  await need({origin: '/opt/$& $1/bin'});
  expect(edits().split('\n')[0]).toBe(
    '--replace-needed $ORIGIN/../lib/libpython3.12.so.1.0 /opt/$& $1/bin/../lib/libpython3.12.so.1.0 ' +
      '--replace-needed ${ORIGIN}/libb.so /opt/$& $1/bin/libb.so /out/.fresh/python',
  );
});

test('a copy beside the original looks where that does, so that both can be moved', async () => {
  writeFileSync(at('rpath'), '$ORIGIN/../lib\n');
  writeFileSync(at('needed'), '$ORIGIN/../lib/libpython3.12.so.1.0\n');
  await need({origin: '/out'});
  expect(edits()).toMatch(
    /^--set-rpath \$ORIGIN\/\.\.\/lib:\$ORIGIN:\/out \/out\/.fresh\/python\n--add-needed /,
  );
});

test('libraries that look where the executable does still do that', async () => {
  await need({lendsRunPath: true});
  expect(edits()).toMatch(/^--force-rpath --set-rpath /);
});

test.each(['--replace-needed', '--set-rpath', '--add-needed'])(
  'when %s fails, so does the link',
  async (refused) => {
    writeFileSync(at('rpath'), '$ORIGIN');
    writeFileSync(at('needed'), '$ORIGIN/libpython.so');
    writeFileSync(at('refused'), refused);
    expect(await need()).toMatchObject({
      ok: false,
      failure: {code: 'LINK', message: 'patchelf cannot edit /out/.fresh/python', details: 'no room\n'},
    });
  },
);

test('without it, the package is named', async () => {
  script(at('patchelf'), '#!/bin/sh\nexit 127\n');
  expect(await find()).toMatchObject({ok: false, failure: {code: 'NO_TOOL'}});
});
