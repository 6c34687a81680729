/**
 * Memory that runs out in the midst of imports and of what has shortcuts: nothing comes of it (a crash, a SystemError, an
 * exception that is lost) that does not come of it in the unmodified interpreter. CPython itself crashes at some allocations.
 *
 *     node test/conformance/run.mjs no-memory [--on 'relink-3.12 relink-3.13'] [--limit 200]
 */
import {join} from 'node:path';
import type {Side, Subject} from '../../support/subject.js';
import {chosenSubjects, prepareSubject} from '../../support/subjects.js';
import {gateOptions, say} from '../../../support/gate-options.js';

const SCRIPT = join(import.meta.dirname, '..', 'no_memory.py');

/** How often each outcome was seen, for each action. */
type Outcomes = ReadonlyMap<string, ReadonlyMap<string, number>>;

export async function gate(words: readonly string[]): Promise<boolean> {
  const options = gateOptions(words, {values: ['on', 'limit']});
  const limit = Number(options.values['limit'] ?? '200');
  if (!Number.isInteger(limit) || limit < 2) throw new Error('--limit: a number of allocations');
  let isGood = true;
  for (const name of await chosenSubjects(options.values['on'])) {
    isGood = (await check(await prepareSubject(name), limit)) && isGood;
  }
  return isGood;
}

/** How many allocations of the unmodified interpreter are tried before an outcome counts as one that it does not have. */
const THOROUGH = 4000;

async function check(subject: Subject, limit: number): Promise<boolean> {
  const unmodified = await outcomes(subject, 'unmodified', limit);
  const frozen = await outcomes(subject, 'frozen', limit);
  // What CPython does where memory runs out does not depend on what it does it for: it is compared as a whole.
  const known = new Set([...unmodified.values()].flatMap((each) => [...each.keys()]));
  let worse = 0;
  for (const [action, each] of frozen) {
    const total = [...each.values()].reduce((sum, count) => sum + count, 0);
    say(`${subject.name}: ${action}: ${total} attempts, ${each.get('MemoryError') ?? 0} MemoryError`);
    if ([...each.keys()].some((outcome) => !known.has(outcome))) {
      // A few allocations out of many were tried: the others may have it.
      const others = await outcomes(subject, 'unmodified', Math.max(limit, THOROUGH), [action]);
      for (const outcome of others.get(action)?.keys() ?? []) known.add(outcome);
    }
    for (const [outcome, count] of each) {
      if (known.has(outcome)) continue;
      worse += 1;
      say(`WORSE: ${action}: ${outcome} (${count} times), never unmodified`);
    }
  }
  say(`${subject.name}: ${worse} outcomes that the unmodified interpreter does not have`);
  return worse === 0 && frozen.size > 0 && frozen.size === unmodified.size;
}

async function outcomes(
  subject: Subject,
  side: Side,
  limit: number,
  actions: readonly string[] = [],
): Promise<Outcomes> {
  const done = await subject.python[side]([SCRIPT, `${limit}`, ...actions], {under: ['nice', '-n', '10']});
  if (done.exitCode !== 0) throw new Error(done.stderr);
  return new Map(
    done.stdout
      .trim()
      .split('\n')
      .map((line) => {
        const [action, , counts] = JSON.parse(line) as [string, number, Record<string, number>];
        return [action, sumUp(counts)] as const;
      }),
  );
}

/** Without addresses and names of objects, which are of that one run. */
function sumUp(counts: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [outcome, count] of Object.entries(counts)) {
    const kind = outcome
      .replaceAll(/ at 0x[0-9a-f]+/g, '')
      .replace(/^SystemError: <.*> returned/, 'SystemError: <…> returned')
      .replace(/, then (\w+): .*/, ', then $1');
    sums.set(kind, (sums.get(kind) ?? 0) + count);
  }
  return sums;
}
