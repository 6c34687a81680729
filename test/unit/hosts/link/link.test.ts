import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {recordOf} from '../../../../src/engine/keys.js';
import {openJournal} from '../../../../src/engine/records/journal.js';
import {link, wrapFlags, type LinkRecipe} from '../../../../src/hosts/link/link.js';
import {LINKING} from '../../../../src/hosts/link/linking-identity.js';
import type {Artifact} from '../../../../src/model/action.js';
import {digestOf} from '../../../../src/model/digest.js';
import {fail, ok} from '../../../../src/model/result.js';
import {placesOf} from '../../../../src/pipeline/build-places.js';
import type {HostContext} from '../../../../src/pipeline/build-options.js';
import {inSite, type SiteRun} from '../../../support/host-site.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

/** Writes its words, and those of the lists that it is given, into the output. */
const LINKER = `#!/bin/sh
all="$*"
while [ $# -gt 0 ]; do
  case $1 in
  -o) out=$2; shift ;;
  --fail) echo "undefined symbol" >&2; exit 1 ;;
  --warn) echo "a warning" >&2 ;;
  esac
  shift
done
echo "$all" > "$out"
for word in $all; do case $word in @*) cat "\${word#@}" >> "$out" ;; esac; done
chmod +x "$out"
`;

let folder: string;
let checks: [string, boolean][];
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = temporaryDirectory();
  checks = [];
  writeFileSync(at('ld'), LINKER);
  chmodSync(at('ld'), 0o755);
  // The pipeline has put the index there.
  mkdirSync(at('build/work'), {recursive: true});
});

function object(name: string): Artifact {
  writeFileSync(at(name), name);
  return {name, path: at(name), digest: digestOf(name)};
}

function linkWith(
  change: Partial<LinkRecipe> = {},
  context: Partial<HostContext> = {},
): Promise<SiteRun<Artifact>> {
  const recipe: LinkRecipe = {
    id: 'link:python',
    tools: [{name: 'cc', digest: digestOf('cc')}],
    command: at('ld'),
    compiler: at('ld'),
    parts: [object('main.o'), '--whole-archive', object('lib.a')],
    libraries: '-lm',
    debugInfo: false,
    out: at('python'),
    cwd: folder,
    check(path, isNew) {
      checks.push([path, isNew]);
      return Promise.resolve(ok());
    },
    ...change,
  };
  return inSite(folder, (site) => link(recipe, placesOf(at('build')), site), context);
}
const linked = (): string => readFileSync(at('python'), 'utf8');

test('the linker gets the parts in order, and the result goes into use after its check', async () => {
  const {result, actions} = await linkWith();
  expect(result).toMatchObject({ok: true, value: {path: at('python'), producer: 'link:python'}});
  expect(actions).toEqual(['link:python executed']);
  expect(checks).toEqual([[expect.stringContaining(at('.new-')), true]]);
  const words = linked().replaceAll('"', '').split(/\s+/);
  expect(words.filter((word) => /[.][oa]|archive/.test(word))).toEqual([
    at('main.o'),
    '--whole-archive',
    at('lib.a'),
  ]);
  expect(linked()).toMatch(/--strip-debug -Wl,--build-id=0x[0-9a-f]{40} -o \S+ @\S+ -lm\n/);
});

test('a link that is up to date is checked where it is', async () => {
  await linkWith();
  const {actions} = await linkWith();
  expect(actions).toEqual(['link:python fresh']);
  expect(checks.at(-1)).toEqual([at('python'), false]);
  await linkWith({}, {dryRun: true});
  expect(checks).toHaveLength(2);
});

test.each<[string, () => Partial<LinkRecipe>]>([
  ['other libraries', () => ({libraries: '-lz'})],
  ['another option', () => ({parts: [object('main.o'), '--no-whole-archive', object('lib.a')]})],
  ['one part more', () => ({parts: [object('main.o'), '--whole-archive', object('lib.a'), object('lib.a')]})],
  ['debugging information', () => ({debugInfo: true})],
  ['another tool', () => ({tools: [{name: 'cc', digest: digestOf('other')}]})],
])('with %s, it is linked again', async (_, change) => {
  await linkWith();
  expect((await linkWith(change())).actions).toEqual(['link:python executed']);
});

test('debugging information keeps the identifier of the linker', async () => {
  await linkWith({debugInfo: true});
  expect(linked()).not.toMatch(/strip-debug|build-id/);
  await linkWith({command: `${at('ld')} -Wl,--build-id=sha1`});
  expect(linked()).not.toContain('build-id=0x');
});

test('the identifier depends on the identity of tools, where one is given', async () => {
  const idOf = async (change: Partial<LinkRecipe>): Promise<string | undefined> => {
    await linkWith(change, {force: true});
    return /build-id=0x(\w+)/.exec(linked())?.[1];
  };
  const identity = [{name: 'stage 1', digest: digestOf('stage 1')}];
  const [own, other] = ['a', 'b'].map((text) => [{name: 'cc', digest: digestOf(text)}]);
  expect(await idOf({tools: own ?? []})).not.toBe(await idOf({tools: other ?? []}));
  expect(await idOf({tools: own ?? [], identity})).toBe(await idOf({tools: other ?? [], identity}));
});

test('a chosen linker is a word of the command and a tool; one that is not there is an error', async () => {
  const compiler = at('compiler');
  writeFileSync(compiler, '#!/bin/sh\ncase $1 in *=ld.lld) echo "$0-lld";; *) echo /nowhere/ld;; esac\n');
  writeFileSync(at('compiler-lld'), '#!/bin/sh\necho LLD 16\n');
  for (const file of [compiler, at('compiler-lld')]) chmodSync(file, 0o755);
  // An absolute path is found without PATH, where this machine may have linkers.
  const of = (linker: HostContext['linker']) =>
    linkWith({compiler}, {linker, userEnvironment: {PATH: '/usr/bin:/bin'}});
  expect((await of('lld')).actions).toEqual(['link:python executed']);
  expect(linked()).toContain('-fuse-ld=lld');
  const {journal} = await openJournal(at('build'));
  expect(recordOf(journal.get('link:python')?.record ?? '')?.tools).toContainEqual({
    name: 'linker',
    digest: digestOf('LLD 16\n'),
  });
  expect((await of('gold')).result).toMatchObject({
    ok: false,
    failure: {code: 'LINK', message: 'the compiler finds no linker ld.gold'},
  });
  expect((await of(undefined)).actions).toEqual(['link:python executed']);
  expect(linked()).not.toContain('fuse-ld');
});

test('the key names the code that links and checks: after an edit of it, all is linked again', async () => {
  await linkWith();
  const {journal} = await openJournal(at('build'));
  const record = recordOf(journal.get('link:python')?.record ?? '');
  expect(record?.tools).toContainEqual({name: 'linking', digest: LINKING.digest});
});

test.each<[string, Partial<LinkRecipe>, object]>([
  ['the linker fails', {libraries: '--fail'}, {code: 'LINK', details: 'undefined symbol\n'}],
  ['the check fails', {check: () => Promise.resolve(fail('SMOKE', 'does not start'))}, {code: 'SMOKE'}],
])('when %s, the old file stays and the new one is removed', async (_, change, failed) => {
  await linkWith({command: `${at('ld')} --old`});
  const before = linked();
  const {result} = await linkWith(change);
  expect(result).toMatchObject({ok: false, failure: failed});
  expect(linked()).toBe(before);
  expect(readdirSync(at('.')).filter((name) => name.startsWith('.new-'))).toEqual([]);
});

test('when the check of a link that is up to date fails, so does the build', async () => {
  await linkWith();
  const check = (): Promise<ReturnType<typeof fail>> => Promise.resolve(fail('VERIFY', 'an image differs'));
  expect((await linkWith({check})).result).toMatchObject({ok: false, failure: {code: 'VERIFY'}});
  expect(existsSync(at('python'))).toBe(true);
});

test('warnings of the linker are passed on', async () => {
  const {events} = await linkWith({libraries: '--warn'});
  expect(events.filter(({type}) => type === 'tool-output')).toMatchObject([
    {id: 'link:python', text: 'a warning\n'},
  ]);
});

test('lists of images are linked in groups first', async () => {
  const images = ['a.o', 'b.o'].map(object);
  await linkWith({parts: [images, 'Programs/python.o']});
  const [group = ''] = readdirSync(at('build/work/groups')).filter((name) => /^[0-9a-f]+-\d+\.o$/.test(name));
  expect(linked()).toContain(`${at('build/work/groups')}/${group}`);
  expect(linked()).not.toContain(at('a.o'));
  expect(readFileSync(join(at('build/work/groups'), group), 'utf8')).toContain(at('a.o'));
});

test('functions are wrapped by name', () => {
  expect(wrapFlags(['Py_Main', 'PyImport_Import'])).toBe('-Wl,--wrap=Py_Main -Wl,--wrap=PyImport_Import');
});
