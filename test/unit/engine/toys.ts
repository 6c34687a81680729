import {readFileSync, writeFileSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {openStore, type Store} from '../../../src/cache/store.js';
import {createEngine, type Engine, type EngineOptions} from '../../../src/engine/engine.js';
import {localSlots} from '../../../src/exec/job-slots.js';
import type {ActionId, ActionResult, Artifact} from '../../../src/model/action.js';
import type {ActionSpec} from '../../../src/model/action-spec.js';
import {JOURNAL} from '../../../src/engine/records/journal.js';
import type {Event, EventInput} from '../../../src/model/events.js';
import {fail, ok, type Result} from '../../../src/model/result.js';

/** A toy project: source files `src/<name>` are compiled one by one, and linked together. */
export interface Toy {
  readonly sourceDir: string;
  readonly buildDir: string;
  readonly names: readonly string[];
}

/** Events as they were emitted, without their time. */
export interface Recorder {
  readonly events: EventInput[];
  emit(event: EventInput): void;
}

export function recorder(): Recorder {
  const events: EventInput[] = [];
  return {events, emit: (event) => void events.push(event)};
}

export function ofType<T extends Event['type']>(
  record: Recorder,
  type: T,
): Extract<EventInput, {readonly type: T}>[] {
  return record.events.filter(
    (event): event is Extract<EventInput, {readonly type: T}> => event.type === type,
  );
}

/** Compiling drops comments (lines that start with #), so that an edit of a comment changes no output. */
export function compiled(source: string): string {
  const lines = source.split('\n').filter((line) => !line.startsWith('#'));
  return `object\n${lines.join('\n')}`;
}

export function linked(objects: readonly string[]): string {
  return ['#!program', ...objects].join('\n');
}

/** What a clean build of the toy leaves behind, by file name. */
export function expectedOutputs(toy: Toy): Record<string, string> {
  const objects = toy.names.map((name) => compiled(readFileSync(join(toy.sourceDir, name), 'utf8')));
  const files = Object.fromEntries(toy.names.map((name, index) => [`${name}.o`, objects[index] ?? '']));
  return {...files, program: linked(objects)};
}

export function actualOutputs(toy: Toy): Record<string, string> {
  return Object.fromEntries(
    [...toy.names.map((name) => `${name}.o`), 'program'].map((name) => [
      name,
      readFileSync(join(toy.buildDir, name), 'utf8'),
    ]),
  );
}

export function compileSpec(toy: Toy, source: Artifact, extra: Partial<ActionSpec> = {}): ActionSpec {
  const {name, path} = source;
  return {
    id: `cc:${name}`,
    tools: [],
    arguments: {optimization: 1},
    environment: {},
    inputs: [source],
    outputs: [{name: `${name}.o`, path: join(toy.buildDir, `${name}.o`)}],
    storage: 'shared',
    execute: async ({outputs}) => {
      const text = await readFile(path, 'utf8');
      if (text.includes('syntax error')) return fail('CC', `${name} does not compile`);
      await writeFile(outputs[`${name}.o`] ?? '', compiled(text));
      return ok();
    },
    ...extra,
  };
}

export function linkSpec(toy: Toy, objects: readonly Artifact[]): ActionSpec {
  return {
    id: 'link:program',
    tools: [],
    arguments: null,
    environment: {},
    inputs: objects,
    outputs: [{name: 'program', path: join(toy.buildDir, 'program'), executable: true}],
    storage: 'shared',
    execute: async ({outputs}) => {
      const texts = await Promise.all(objects.map(({path}) => readFile(path, 'utf8')));
      await writeFile(outputs['program'] ?? '', linked(texts));
      return ok();
    },
  };
}

/** Runs the whole toy build in an engine. */
export async function buildToy(
  engine: Engine,
  toy: Toy,
  change: (spec: ActionSpec) => ActionSpec = (spec) => spec,
): Promise<Result<ActionResult>> {
  const sources = await engine.sources(toy.names.map((name) => ({name, path: join(toy.sourceDir, name)})));
  if (!sources.ok) return sources;
  const objects: Artifact[] = [];
  const results = await Promise.all(
    sources.value.map((source) => engine.run(change(compileSpec(toy, source)))),
  );
  for (const result of results) {
    if (!result.ok) return result;
    objects.push(...Object.values(result.value.outputs));
  }
  return engine.run(change(linkSpec(toy, objects)));
}

export async function makeToy(folder: string, contents: Readonly<Record<string, string>>): Promise<Toy> {
  const toy = {sourceDir: join(folder, 'src'), buildDir: join(folder, 'build'), names: Object.keys(contents)};
  await mkdir(toy.sourceDir, {recursive: true});
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(toy.sourceDir, name), content);
  return toy;
}

export async function storeIn(folder: string): Promise<Store> {
  const store = await openStore(folder);
  if (!store.ok) throw new Error(store.failure.message);
  return store.value;
}

export interface Built {
  readonly result: Result<ActionResult>;
  readonly engine: Engine;
  readonly record: Recorder;
  /** `<id>: <outcome>: <reason>` for every action that was finished. */
  readonly lines: readonly string[];
  readonly executed: readonly ActionId[];
}

/** One whole build of a toy: an engine of its own, as in a run of the program. */
export async function build(
  toy: Toy,
  options: Partial<EngineOptions> = {},
  change?: (spec: ActionSpec) => ActionSpec,
): Promise<Built> {
  const record = recorder();
  const signal = new AbortController().signal;
  const engine = await createEngine({
    buildDir: toy.buildDir,
    store: undefined,
    jobs: localSlots(4),
    events: record,
    signal,
    ...options,
  });
  const result = await buildToy(engine, toy, change);
  const finished = await engine.finish();
  if (!finished.ok) throw new Error(finished.failure.message);
  const lines = ofType(record, 'action-finished').map(
    ({id, outcome, reason}) => `${id}: ${outcome}: ${reason}`,
  );
  return {result, engine, record, lines: lines.sort(), executed: [...engine.summary().executed].sort()};
}

/** Changes the entries of the journal that a build left, as somebody could who writes to the directory. */
export function editJournal(
  {buildDir}: Toy,
  change: (id: string, entry: Readonly<Record<string, unknown>>) => unknown,
): void {
  const file = join(buildDir, JOURNAL);
  const [header = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const changed = lines.map((line) => {
    const [id, entry] = JSON.parse(line) as [string, Record<string, unknown>];
    return JSON.stringify([id, change(id, entry)]);
  });
  writeFileSync(file, [header, ...changed, ''].join('\n'));
}
