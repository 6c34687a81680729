import {readFileSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from '@jest/globals';
import {statFile} from '../../../../src/fs/path-state.js';
import {placesOf} from '../../../../src/pipeline/build-places.js';
import {memoizedCompiler} from '../../../../src/pipeline/compile/memoized-compiler.js';
import {script} from '../../../support/fake-toolchain.js';
import {eventually} from '../../../support/processes.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

let folder: string;
const at = (name: string): string => join(folder, name);
const calls = (): number => readFileSync(at('calls'), 'utf8').trim().split('\n').length;

/** The machine's compiler, counting its calls. */
async function writeCompiler(comment: string): Promise<string> {
  const path = script(at('cc'), `#!/bin/sh\n# ${comment}\necho call >> ${at('calls')}\nexec gcc "$@"\n`);
  expect(await eventually(() => statFile(path)?.settled === true)).toBe(true);
  return path;
}

const ask = (cc: string, path = process.env['PATH'] ?? '') =>
  memoizedCompiler(cc, placesOf(folder), {environment: {PATH: path}, signal: new AbortController().signal});

beforeEach(() => {
  folder = temporaryDirectory();
});

test('a compiler is asked once, and again when its file changes or the name may mean another', async () => {
  const cc = await writeCompiler('first');
  const first = await ask(cc);
  expect(first).toMatchObject({ok: true, value: {family: 'gcc', files: expect.arrayContaining([cc])}});
  const asked = calls();
  expect(await ask(cc)).toEqual(first);
  expect(calls()).toBe(asked);
  await ask(cc, `${folder}:${process.env['PATH'] ?? ''}`);
  expect(calls()).toBe(2 * asked);
  await ask(cc);
  await writeCompiler('second');
  const before = calls();
  await ask(cc);
  expect(calls()).toBeGreaterThan(before);
});

test('a memo that is damaged, or of code that reads answers in another way, is not used', async () => {
  const cc = await writeCompiler('first');
  const first = await ask(cc);
  const memo = at('work/compiler.json');
  const text = readFileSync(memo, 'utf8');
  for (const damaged of ['', text.replace(/\\"readers\\":\\"\w/, '$&0')]) {
    expect(damaged).not.toBe(text);
    writeFileSync(memo, damaged);
    utimesSync(memo, 1, 1);
    const before = calls();
    expect(await ask(cc)).toEqual(first);
    expect(calls()).toBeGreaterThan(before);
  }
});

test('what is no compiler is a failure, which is not kept', async () => {
  const cc = script(at('cc'), '#!/bin/sh\nexit 1\n');
  expect(await ask(cc)).toMatchObject({ok: false, failure: {code: 'NO_COMPILER'}});
  expect(await ask(await writeCompiler('now there'))).toMatchObject({ok: true});
});
