/**
 * Tests that are run again and again leak no more memory blocks or file descriptors frozen than unmodified.
 *
 *     node test/conformance/run.mjs refleaks [--on relink-3.13] [--tests 'test_code test_set']
 */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {makeDirectory} from '../../../support/make-directory.js';
import type {Side, Subject} from '../../support/subject.js';
import {STDLIB, prepareSubject} from '../../support/subjects.js';
import {gateOptions, say} from '../../../support/gate-options.js';

const SCRIPT = join(import.meta.dirname, '..', 'refleaks.py');
const TESTS = 'test_importlib test_code test_set test_import';

type Leaks = ReadonlyMap<string, number>;

export async function gate(words: readonly string[]): Promise<boolean> {
  const options = gateOptions(words, {values: ['on', 'tests']});
  const tests = (options.values['tests'] ?? TESTS).split(/\s+/);
  const subject = await prepareSubject(options.values['on'] ?? 'source-3.13.15', STDLIB);
  const folder = makeDirectory('refleaks');
  try {
    const unmodified = await leaks(subject, 'unmodified', folder, tests);
    const frozen = await leaks(subject, 'frozen', folder, tests);
    let more = moreOf(frozen, unmodified);
    if (more.length > 0) {
      // A handful of blocks comes and goes: what leaks does so every time.
      say(`more, run again: ${more.join(', ')}`);
      const again = moreOf(await leaks(subject, 'frozen', folder, tests), unmodified);
      more = more.filter((what) => again.includes(what));
    }
    for (const what of more) say(`MORE: ${what}`);
    say(`${subject.name}: ${more.length} leaks more than unmodified`);
    return more.length === 0;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** What leaked, and how much of it: `test_code: memory blocks` and so on. */
async function leaks(subject: Subject, side: Side, folder: string, tests: readonly string[]): Promise<Leaks> {
  const python = subject.forTests(side, join(folder, side));
  const done = await python([SCRIPT, '-R', '3:3', '--timeout', '1800', ...tests], {
    cwd: folder,
    under: ['nice', '-n', '10'],
  });
  const text = done.stdout + done.stderr;

  const repetitions = text.match(/^beginning 6 repetitions/gm)?.length ?? 0;
  if (repetitions !== tests.length) throw new Error(`not all of the tests ran:\n${text.slice(-4000)}`);
  const found = new Map<string, number>();
  const line = /^(\S+) leaked \[[-\d, ]+\] ([a-z ]+), sum=(-?\d+)/gm;
  for (const [, test = '', what = '', sum] of text.matchAll(line)) found.set(`${test}: ${what}`, Number(sum));
  const words = [...found].map(([what, sum]) => `${what} ${sum}`).join(', ');
  say(`${subject.name}, ${side}: ${tests.join(', ')}: ${words || 'nothing leaked'}`);
  return found;
}

function moreOf(frozen: Leaks, unmodified: Leaks): string[] {
  return [...frozen.keys()].filter((what) => (frozen.get(what) ?? 0) > (unmodified.get(what) ?? 0));
}
