import {execFileSync} from 'node:child_process';
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, beforeEach, expect, test} from '@jest/globals';
import {scrubbedEnvironment} from '../../../../src/exec/environment.js';
import {prelink} from '../../../../src/hosts/link/prelink.js';
import type {Artifact} from '../../../../src/model/action.js';
import {digestOf} from '../../../../src/model/digest.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const COUNT = 90;
/** The one with a second version. */
const EDITED = 50;
const compiled = temporaryDirectory();
let folder: string;
let objects: Artifact[];
const environment = scrubbedEnvironment();
beforeAll(() => {
  const sources = Array.from({length: COUNT}, (_, i) => source(i, i));
  execFileSync('gcc', ['-fno-pie', '-c', ...sources, source(EDITED, EDITED + 1000)], {cwd: compiled});
});
beforeEach(() => {
  folder = temporaryDirectory();
  objects = Array.from({length: COUNT}, (_, i) => object(i, i));
});

/** An object with a number of its own, a name that others have, too, and a group that all have. */
function source(index: number, value: number): string {
  const name = `o${index}-${value}.c`;
  const text = `
    static const long number = ${value};
    const long *const ff_image_${index} = &number;
    __attribute__((weak, visibility("hidden"), section("ff_string,\\"awG\\",@progbits,ff_s_shared,comdat#")))
    char ff_s_shared[16] = "shared";
    char *const ff_text_${index} = ff_s_shared;`;
  writeFileSync(join(compiled, name), text);
  return name;
}

function object(index: number, value: number): Artifact {
  const name = `o${index}.o`;
  const path = join(folder, name);
  copyFileSync(join(compiled, `o${index}-${value}.o`), path);
  return {name, path, digest: digestOf(`${index} ${value}`)};
}

async function groups(compiler = 'gcc'): Promise<readonly string[]> {
  const made = await prelink(objects, {
    ...{compiler, tools: [], folder: join(folder, 'groups'), cwd: folder, environment},
    signal: new AbortController().signal,
  });
  if (!made.ok) throw new Error(made.failure.message);
  return made.value;
}

/** What a program says that is linked from these: the sum of all numbers, and how many different shared strings there are. */
function run(paths: readonly string[]): string {
  const all = objects.map((_, i) => i);
  const main = join(folder, 'main.c');
  writeFileSync(
    main,
    `#include <stdio.h>
${all.map((i) => `extern const long *const ff_image_${i}; extern char *const ff_text_${i};`).join('\n')}
int main(void) {
  long sum = 0; int others = 0;
  ${all.map((i) => `sum += *ff_image_${i}; others += ff_text_${i} != ff_text_0;`).join('\n')}
  printf("%ld %d\\n", sum, others);
}`,
  );
  execFileSync('gcc', ['-no-pie', main, ...paths, '-o', join(folder, 'main')]);
  return execFileSync(join(folder, 'main'), {encoding: 'utf8'}).trim();
}

test('groups are linked like objects, and have one copy of each string', async () => {
  const paths = await groups();
  expect(paths).toHaveLength(3);
  expect([run(paths), run(objects.map(({path}) => path))]).toEqual(['4005 0', '4005 0']);
});

test('unchanged groups stay, changed ones are linked again, unused ones are removed', async () => {
  const before = await groups();
  const times = before.map((path) => statSync(path).mtimeMs);
  expect((await groups()).map((path) => statSync(path).mtimeMs)).toEqual(times);
  objects[EDITED] = object(EDITED, EDITED + 1000);
  const after = await groups();
  for (const path of before) utimesSync(path, 1, 1);
  await groups();
  expect(after.map((path, i) => path === before[i])).toEqual([true, false, true]);
  expect(run(after)).toBe('5005 0');
  expect(readdirSync(join(folder, 'groups')).filter((name) => name !== 'new.txt')).toHaveLength(3);
});

test('a truncated group is linked again', async () => {
  const before = await groups();
  const whole = before.map((path) => readFileSync(path));
  truncateSync(before[1] ?? '', 100);
  const after = await groups();
  expect(after).toEqual(before);
  expect(after.every((path, i) => whole[i]?.equals(readFileSync(path)))).toBe(true);
});

test('the bytes of a group do not depend on the directory', async () => {
  const [first = ''] = await groups();
  const bytes = readFileSync(first);
  folder = temporaryDirectory();
  objects = objects.map((_, i) => object(i, i));
  const [again = ''] = await groups();
  expect(readFileSync(again).equals(bytes)).toBe(true);
});

test('if the linker cannot make groups, objects are linked', async () => {
  const script = join(folder, 'cc');
  writeFileSync(script, '#!/bin/sh\necho "unknown option" >&2\nexit 1\n', {mode: 0o755});
  expect(await groups(script)).toEqual(objects.map(({path}) => path));
});
