/**
 * CPython's whole test suite, in an interpreter that has all of the standard library frozen and in the unmodified one: no
 * file and no test case that passes unmodified may do anything else frozen.
 *
 *     node test/conformance/run.mjs whole-suite --on source-3.13.15
 *     node test/conformance/run.mjs whole-suite --on snapshot-3.13.15 --modules asyncio
 *
 * With a snapshot, the tests run in processes that start from it. It has the modules of a start, and those of --modules.
 *
 * The frozen interpreter runs all of it. The unmodified one runs the files that were not all passed there, which is what
 * can differ; with --both it runs everything, too, and tests that did not even run frozen are found as well. Results are
 * kept: --show compares and prints them again. What is worse is run a second time before it counts, on both sides: some tests
 * skip themselves by what the process that starts them has open.
 */
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {CACHE} from '../../../support/rig.js';
import {type Difference, differences, tally} from '../../support/compare-suites.js';
import {LEFT_OUT, type SuiteResults, fileOf, runSide} from '../../support/cpython-suite.js';
import type {Side} from '../../support/subject.js';
import {STDLIB, prepareSubject, subjectNames} from '../../support/subjects.js';
import {gateOptions, say} from '../../../support/gate-options.js';
import {KNOWN} from '../known.js';
import {HUNDRED} from '../hundred.js';

export async function gate(words: readonly string[]): Promise<boolean> {
  const options = gateOptions(words, {
    flags: ['both', 'show', 'hundred'],
    values: ['on', 'jobs', 'tests', 'modules'],
  });
  const name = options.values['on'];
  if (name === undefined) throw new Error(`--on is one of ${subjectNames().join(', ')}`);
  const modules = options.values['modules'];
  const store = join(CACHE, 'results', 'whole-suite', modules === undefined ? name : `${name}-${modules}`);
  mkdirSync(store, {recursive: true});
  if (!options.flags.has('show'))
    await runBoth(name, store, {
      selection: selectionOf(name, modules),
      both: options.flags.has('both'),
      jobs: Number(options.values['jobs'] ?? '2'),
      files:
        options.values['tests']?.split(/\s+/) ??
        (options.flags.has('hundred') || name.startsWith('overlay') ? HUNDRED : []),
    });
  return compare(name, store);
}

/** The results that are kept, as files. */
const KEPT = ['frozen', 'unmodified', 'frozen-again', 'unmodified-again'] as const;

interface Plan {
  readonly selection: readonly string[];
  readonly both: boolean;
  readonly jobs: number;
  readonly files: readonly string[];
}

/** A snapshot is one of fewer modules: those that it does not have, tests import as in any other process. */
function selectionOf(name: string, modules: string | undefined): readonly string[] {
  if (!name.startsWith('snapshot')) return STDLIB;
  return ['--startup', ...(modules === undefined ? [] : ['--trace', `-c "import ${modules}"`])];
}

async function runBoth(name: string, store: string, {selection, both, jobs, files}: Plan): Promise<void> {
  const subject = await prepareSubject(name, selection);
  // Not deep: some tests bind sockets in it, whose paths may have a hundred characters.
  const folder = join(tmpdir(), `ff-${process.pid}`);
  const side = async (which: Side, some: readonly string[]): Promise<SuiteResults> => {
    say(`${name}: ${some.length === 0 ? 'all files' : `${some.length} files`}, ${which}`);
    const onOutput = (text: string): void => void process.stderr.write(text);
    return runSide(subject, which, {files: some, jobs, folder, onOutput});
  };
  try {
    for (const each of KEPT) rmSync(join(store, `${each}.json`), {force: true});
    const frozen = keep(store, 'frozen', await side('frozen', files));
    const doubtful = both ? files : notAllPassed(frozen);
    const unmodified = keep(store, 'unmodified', await side('unmodified', doubtful));
    const worse = unexplained(differences(unmodified, frozen, KNOWN));
    const suspects = [...new Set(worse.map(({file}) => file).filter((file) => file !== undefined))];
    if (suspects.length > 0) {
      keep(store, 'frozen-again', await side('frozen', suspects));
      keep(store, 'unmodified-again', await side('unmodified', suspects));
    }
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** Files that did something else than pass every test case of theirs. */
function notAllPassed(results: SuiteResults): string[] {
  const files = Object.keys(results.files);
  const doubtful = new Set(files.filter((file) => results.files[file] !== 'passed'));
  for (const [testCase, outcome] of Object.entries(results.cases)) {
    const file = outcome === 'passed' ? undefined : fileOf(testCase, files);
    if (file !== undefined) doubtful.add(file);
  }
  return [...doubtful].sort();
}

function keep(store: string, what: string, results: SuiteResults): SuiteResults {
  writeFileSync(join(store, `${what}.json`), JSON.stringify(results, null, 1));
  return results;
}

function read(store: string, what: string): SuiteResults | undefined {
  try {
    return JSON.parse(readFileSync(join(store, `${what}.json`), 'utf8')) as SuiteResults;
  } catch {
    return undefined;
  }
}

const unexplained = (found: readonly Difference[]): Difference[] =>
  found.filter(({known}) => known === undefined);

/** Prints both sets and what is worse. */
function compare(name: string, store: string): boolean {
  const [frozen, unmodified, frozenAgain, unmodifiedAgain] = KEPT.map((each) => read(store, each));
  if (!frozen || !unmodified) throw new Error(`there are no results of ${name} yet: run without --show`);
  for (const [file, reason] of Object.entries(LEFT_OUT)) say(`left out on both sides: ${file} (${reason})`);
  for (const [side, results] of Object.entries({unmodified, frozen})) {
    say(`${side}: files: ${tally(results.files)} (${Math.round(results.seconds)} s)`);
    say(`${side}: test cases: ${tally(results.cases)}`);
    const others = Object.entries(results.files).filter(([, outcome]) => outcome !== 'passed');
    for (const [file, outcome] of others.filter(([, words]) => !words.startsWith('skipped')))
      say(`  ${file}: ${outcome}`);
  }
  const found = differences(unmodified, frozen, KNOWN);
  const outcomeOf = (again: SuiteResults | undefined, {kind, name: each}: Difference): string | undefined => {
    if (kind === 'failure') return again?.failures.includes(each) === false ? 'passed' : 'failed';
    return (kind === 'file' ? again?.files : again?.cases)?.[each];
  };
  const isExplained = (each: Difference): boolean => {
    const outcome = outcomeOf(frozenAgain, each);
    return outcome !== undefined && (outcome === 'passed' || outcome === outcomeOf(unmodifiedAgain, each));
  };
  for (const each of found.filter(({known}) => known !== undefined))
    say(`known: ${each.name}: ${each.frozen} (${each.known ?? ''})`);
  const worse = unexplained(found);
  for (const each of worse.filter(isExplained)) {
    const outcome = outcomeOf(frozenAgain, each) ?? '';
    say(
      `no difference the second time: ${each.name} (${each.frozen}, then ${outcome}${outcome === 'passed' ? '' : ' on both sides'})`,
    );
  }
  const real = worse.filter((each) => !isExplained(each));
  for (const each of real) say(`WORSE: ${each.kind} ${each.name}: ${each.frozen}, passes unmodified`);
  say(`${name}: ${real.length} of what passes unmodified does not pass frozen`);
  return real.length === 0;
}
