/**
 * Every image equals a fresh compile of its source, on several hash seeds, and there is an image of every module of the
 * standard library: what is left out is listed, with the reason.
 *
 *     node test/conformance/run.mjs images [--on 'relink-3.10 source-3.13.15']
 */
import {randomInt} from 'node:crypto';
import {join} from 'node:path';
import type {Subject} from '../../support/subject.js';
import {STDLIB, chosenSubjects, prepareSubject} from '../../support/subjects.js';
import {gateOptions, say} from '../../../support/gate-options.js';

const SCRIPT = join(import.meta.dirname, '..', 'left_out.py');

export async function gate(words: readonly string[]): Promise<boolean> {
  const options = gateOptions(words, {values: ['on']});
  const seeds = ['0', '1', '7', ...[1, 2].map(() => String(randomInt(2, 2 ** 32 - 1)))];
  let isGood = true;
  for (const name of await chosenSubjects(options.values['on'])) {
    const subject = await prepareSubject(name, STDLIB);
    const [equal, complete] = [await verify(subject, seeds), await listLeftOut(subject)];
    isGood &&= equal && complete;
  }
  return isGood;
}

async function verify(subject: Subject, seeds: readonly string[]): Promise<boolean> {
  const done = await subject.flashfreeze([
    ...['verify', '--images', subject.frozen, '--quiet'],
    ...seeds.flatMap((seed) => ['--hash-seed', seed]),
    ...(subject.source === undefined ? [] : ['--source', subject.source]),
  ]);
  say(`${subject.name}: hash seeds ${seeds.join(', ')}: ${(done.stdout + done.stderr).trim()}`);
  return done.exitCode === 0;
}

interface LeftOut {
  readonly frozen: number;
  readonly left: Readonly<Record<string, string | null>>;
}

async function listLeftOut(subject: Subject): Promise<boolean> {
  const done = await subject.python.frozen(['-B', SCRIPT]);
  if (done.exitCode !== 0) throw new Error(done.stderr);
  const {frozen, left} = JSON.parse(done.stdout.trim().split('\n').at(-1) ?? '') as LeftOut;
  const names = new Map<string | null, string[]>();
  for (const [name, reason] of Object.entries(left)) names.set(reason, [...(names.get(reason) ?? []), name]);
  say(`${subject.name}: ${frozen} modules have images`);
  for (const [reason, modules] of names) {
    const some = modules.length > 60 ? `${modules.slice(0, 3).join(' ')} …` : modules.join(' ');
    say(`  left out: ${modules.length}, ${reason ?? 'FOR NO REASON'}: ${some}`);
  }
  return !names.has(null);
}
