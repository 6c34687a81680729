/**
 * Tests that are run again and again leak no more references, memory blocks or file descriptors frozen than unmodified.
 * CPython counts references in special builds only. A debug build cannot have static code, but Py_REF_DEBUG alone
 * changes no object: 3.13.15 is built with that, for this gate.
 *
 *     node test/conformance/run.mjs refleaks
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type Side, STDLIB, prepareSource} from '../../support/subjects.js';
import {gateOptions, say} from '../options.js';

const TESTS = ['test_importlib', 'test_code', 'test_set', 'test_import'];

export async function gate(words: readonly string[]): Promise<boolean> {
  const options = gateOptions(words, {values: ['tests']});
  const tests = options.values['tests']?.split(/\s+/) ?? TESTS;
  const variant = {suffix: 'ref-debug', arguments: ['--configure-arg', 'CPPFLAGS=-DPy_REF_DEBUG']};
  const subject = await prepareSource('3.13.15', STDLIB, variant);
  const folder = mkdtempSync(join(tmpdir(), 'ff-refleaks-'));
  const leaks = async (side: Side): Promise<ReadonlyMap<string, number>> => {
    const python = subject.forTests(side, join(folder, side));
    const done = await python(['-m', 'test', '-R', '3:3', '--timeout', '1800', ...tests], {
      cwd: folder,
      under: ['nice', '-n', '10'],
    });
    const text = done.stdout + done.stderr;
    const sums = new Map<string, number>();
    for (const [, test = '', what = '', sum] of text.matchAll(
      /^(\S+) leaked \[[-\d, ]+\] ([a-z ]+), sum=(-?\d+)/gm,
    ))
      sums.set(`${test}: ${what}`, Number(sum));
    const ran = tests.filter((test) => new RegExp(`\\] ${test}\\b`).test(text));
    if (ran.length < tests.length) throw new Error(`not all of the tests ran:\n${text.slice(-4000)}`);
    say(`${side}: ${/^Result: .*$/m.exec(text)?.[0] ?? 'no result'}; leaks: ${describe(sums)}`);
    return sums;
  };
  try {
    const [unmodified, frozen] = [await leaks('unmodified'), await leaks('frozen')];
    const more = [...frozen].filter(([what, sum]) => sum > (unmodified.get(what) ?? 0));
    for (const [what, sum] of more) say(`MORE: ${what}: ${sum}, unmodified ${unmodified.get(what) ?? 0}`);
    return more.length === 0;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

function describe(sums: ReadonlyMap<string, number>): string {
  return [...sums].map(([what, sum]) => `${what} ${sum}`).join(', ') || 'none';
}
