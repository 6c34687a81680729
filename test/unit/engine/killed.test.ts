import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, jest, test} from '@jest/globals';
import {acquireLock} from '../../../src/engine/lock.js';
import {temporaryDirectory} from '../../support/temporary-directory.js';
import {runScript} from '../../support/scripts.js';
import {ending, eventually} from '../../support/processes.js';
import {actualOutputs, build, expectedOutputs, makeToy, ofType, storeIn, type Toy} from './toys.js';

// Processes of their own, and files, take their time on a busy machine.
jest.setTimeout(60_000);

let folder: string;
let toy: Toy;
beforeEach(async () => {
  folder = temporaryDirectory();
  toy = await makeToy(folder, Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, `${name}1\n`])));
});

/**
 * A build of the toy that says on its standard output which actions it is in and which it finished. Each writes half of
 * its output, waits for a file that lets it go on, and then writes all of it.
 */
const BUILD = `
import {existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {openStore} from './cache/store.js';
import {createEngine} from './engine/engine.js';
import {localSlots} from './exec/job-slots.js';
import {acquireLock} from './engine/lock.js';
const {sourceDir, buildDir, names, storeDir, storage, go} = JSON.parse(process.argv[2]);
const lock = await acquireLock(buildDir);
const store = await openStore(storeDir);
const engine = await createEngine({
  buildDir, store: store.value, jobs: localSlots(4), signal: new AbortController().signal,
  events: {emit: (event) => event.type === 'action-finished' && console.log('finished ' + event.id)},
});
const act = (id, inputs, outputs, make) => engine.run({
  id, tools: [], arguments: id.startsWith('cc') ? {optimization: 1} : null, environment: {}, inputs, outputs, storage,
  async execute(context) {
    const [path] = Object.values(context.outputs);
    const text = await make();
    await writeFile(path, text.slice(0, text.length / 2));
    console.log(id);
    while (!existsSync(go + id)) await new Promise((wake) => setTimeout(wake, 2));
    await writeFile(path, text);
    return {ok: true};
  },
});
const objects = await Promise.all(names.map(async (name) => {
  const source = (await engine.source(name, join(sourceDir, name))).value;
  const output = {name: name + '.o', path: join(buildDir, name + '.o')};
  const result = await act('cc:' + name, [source], [output], async () => 'object\\n' + await readFile(source.path, 'utf8'));
  return result.value.outputs[name + '.o'];
}));
await act('link:program', objects, [{name: 'program', path: join(buildDir, 'program'), executable: true}], async () =>
  ['#!program', ...await Promise.all(objects.map(({path}) => readFile(path, 'utf8')))].join('\\n'));
await engine.finish();
await lock.value.release();
console.log('done');
`;

/** Starts the build, lets some actions finish, and kills it when it is in the middle of others. */
async function killedBuild(
  storage: 'shared' | 'in-place',
  finished: readonly string[],
  inTheMiddleOf: readonly string[],
): Promise<void> {
  const go = join(folder, 'go-');
  for (const id of finished) writeFileSync(go + id, '');
  const setting = JSON.stringify({...toy, storeDir: join(folder, 'store'), storage, go});
  const child = runScript(folder, 'build', BUILD, [setting]);
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const wanted = [...finished.map((id) => `finished ${id}`), ...inTheMiddleOf];
  expect(await eventually(() => wanted.every((line) => said.split('\n').includes(line)))).toBe(true);
  child.kill('SIGKILL');
  expect((await ending(child)).signal).toBe('SIGKILL');
  expect(said).not.toContain('done');
}

describe('after a kill in the middle', () => {
  test.each<[string, string[], string[]]>([
    ['of the first actions', [], ['cc:a', 'cc:b']],
    ['of later actions', ['cc:a', 'cc:b'], ['cc:c', 'cc:d']],
    ['of the last action', ['cc:a', 'cc:b', 'cc:c', 'cc:d'], ['link:program']],
  ])('%s the next build is right, and keeps what was done', async (_, finished, middle) => {
    await killedBuild('shared', finished, middle);
    const lock = await acquireLock(toy.buildDir);
    expect(lock.ok).toBe(true);
    const store = await storeIn(join(folder, 'store'));
    const next = await build(toy, {store});
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
    expect(next.executed.filter((id) => finished.includes(id))).toEqual([]);
    expect(ofType(next.record, 'warning')).toEqual([]);
    expect(await store.verify()).toMatchObject({damaged: [], incomplete: []});
    expect((await build(toy, {store})).engine.summary().counts.fresh).toBe(5);
  });

  test('over an older build the old outputs are still complete', async () => {
    const old = await build(toy);
    expect(old.result.ok).toBe(true);
    const before = actualOutputs(toy);
    for (const name of toy.names) writeFileSync(join(toy.sourceDir, name), `${name}2\n`);
    await killedBuild('shared', [], ['cc:a', 'cc:b']);
    expect(actualOutputs(toy)).toEqual(before);
    await build(toy);
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  });

  test('of work in place, that work is done again even when its declaration is the old one', async () => {
    const inPlace = {store: undefined};
    await build(toy, inPlace, (spec) => ({...spec, storage: 'in-place'}));
    writeFileSync(join(toy.sourceDir, 'a'), 'a2\n');
    const whole = readFileSync(join(toy.buildDir, 'a.o'), 'utf8');
    await killedBuild('in-place', [], ['cc:a']);
    // Back to the old source, and the output happens to look as it did: nothing but the journal tells.
    writeFileSync(join(toy.sourceDir, 'a'), 'a1\n');
    writeFileSync(join(toy.buildDir, 'a.o'), whole);
    const next = await build(toy, inPlace, (spec) => ({...spec, storage: 'in-place'}));
    expect(next.lines).toContain('cc:a: executed: the last run did not finish');
    expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  });
});

test('a build that was killed repeatedly completes', async () => {
  const order = ['cc:a', 'cc:b', 'cc:c', 'cc:d', 'link:program'];
  for (let done = 0; done < order.length; done += 1) {
    await killedBuild('shared', order.slice(0, done), order.slice(done, done + 1));
    expect(existsSync(join(toy.buildDir, 'program'))).toBe(false);
  }
  const store = await storeIn(join(folder, 'store'));
  expect((await build(toy, {store})).executed).toEqual(['link:program']);
  expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
  rmSync(join(folder, 'store'), {recursive: true});
});

test('leftovers of a killed run are removed by the next run that has something to do', async () => {
  mkdirSync(toy.buildDir, {recursive: true});
  const left = join(toy.buildDir, '.new-1-killed');
  writeFileSync(left, '{"schema":1,"act');
  expect((await build(toy)).result.ok).toBe(true);
  expect(existsSync(left)).toBe(false);
});
