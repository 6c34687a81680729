/**
 * valgrind's memcheck finds no more errors in the frozen interpreter than in the unmodified one: start, import of
 * everything that is frozen, exit.
 *
 *     node test/conformance/run.mjs memcheck [--on 'relink-3.10 source-3.13.15']
 */
import {readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {makeDirectory} from '../../../support/make-directory.js';
import type {Side, Subject} from '../../support/subject.js';
import {STDLIB, chosenSubjects, prepareSubject} from '../../support/subjects.js';
import {gateOptions, say} from '../../../support/gate-options.js';

const SCRIPT = join(import.meta.dirname, '..', 'import_everything.py');

export async function gate(words: readonly string[]): Promise<boolean> {
  const options = gateOptions(words, {values: ['on']});
  let isGood = true;
  for (const name of await chosenSubjects(options.values['on'])) {
    const folder = makeDirectory('memcheck');
    try {
      isGood = (await check(await prepareSubject(name, STDLIB), folder)) && isGood;
    } finally {
      rmSync(folder, {recursive: true, force: true});
    }
  }
  return isGood;
}

async function check(subject: Subject, folder: string): Promise<boolean> {
  const list = join(folder, 'modules.txt');
  const asked = await subject.python.frozen([
    ...['-B', '-c'],
    'import _flashfreeze; print(*sorted(module.name for module in _flashfreeze.modules()), sep="\\n")',
  ]);
  writeFileSync(list, asked.stdout);
  const unmodified = await errors(subject, 'unmodified', folder, list);
  const frozen = await errors(subject, 'frozen', folder, list);
  say(`${subject.name}: ${unmodified.count} errors unmodified, ${frozen.count} frozen`);
  say(`  unmodified: ${unmodified.imported}; frozen: ${frozen.imported}`);
  if (frozen.count > unmodified.count) say(frozen.log);
  return frozen.count <= unmodified.count;
}

interface Found {
  readonly count: number;
  readonly imported: string;
  readonly log: string;
}

/** Runs a side under memcheck. Without Python's own allocator, whose pools memcheck cannot look into. */
async function errors(subject: Subject, side: Side, folder: string, list: string): Promise<Found> {
  const environment = {PYTHONMALLOC: 'malloc', PYTHONPYCACHEPREFIX: join(folder, 'cache')};
  // Bytecode files are written by a first run: compiling all of it under valgrind would take an hour.
  const run = (under: readonly string[]) =>
    subject.python[side]([SCRIPT, list], {environment, under, cwd: folder, input: ''});
  const first = await run([]);
  if (first.exitCode !== 0) throw new Error(first.stderr);
  // The interpreter of an overlay is a script that becomes the interpreter.
  const logs = join(folder, `${side}-%p.log`);
  const options = ['--error-limit=no', '--trace-children=yes', `--log-file=${logs}`, '--num-callers=20'];
  const done = await run(['valgrind', ...options]);
  const texts = readdirSync(folder)
    .filter((name) => name.startsWith(`${side}-`))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  // Programs that a module starts when it is imported have logs of their own.
  const text = texts.find((each) => each.includes(SCRIPT)) ?? '';
  if (done.exitCode !== 0) throw new Error(`${done.stderr}\n${text.slice(-4000)}`);
  const summary = [...text.matchAll(/ERROR SUMMARY: (\d+) errors/g)].at(-1)?.[1];
  if (summary === undefined) throw new Error(`valgrind did not finish:\n${text.slice(-4000)}`);
  return {count: Number(summary), imported: done.stdout.trim().split('\n').at(-1) ?? '', log: text};
}
