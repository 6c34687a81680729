/** CPython's own test suite: runs it with CPython's own runner, and reads what became of each file and each test case. */
import {existsSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Python, Subject} from './subject.js';

export type CaseOutcome = 'passed' | 'skipped' | 'failed';

export interface SuiteResults {
  /** By the name of the test file, as the runner calls it (`test_json`, `test.test_asyncio.test_events`). */
  readonly files: Readonly<Record<string, string>>;
  /** By the full name of the test case. */
  readonly cases: Readonly<Record<string, CaseOutcome>>;
  /** Failures as the runner prints them: those of subtests are in no report. */
  readonly failures: readonly string[];
  readonly seconds: number;
}

/** Left out on both sides, because these say nothing about the interpreter on a machine like those that tests run on. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  test_socket: 'hangs where the network is closed (sends to a multicast or vsock address that never answers)',
};

export interface SuiteOptions {
  /** Which files; all if not given. */
  readonly files?: readonly string[];
  readonly jobs: number;
  /** A directory that is this run's own. */
  readonly folder: string;
  readonly onOutput?: (text: string) => void;
}

/**
 * Runs test files in an interpreter. Resources that tests must ask for (network, much memory, time) are all off.
 * Throws when the runner ends without a report, as when the interpreter does not start.
 */
export async function runSuite(python: Python, options: SuiteOptions): Promise<SuiteResults> {
  const {files = [], jobs, folder} = options;
  rmSync(folder, {recursive: true, force: true});
  mkdirSync(folder, {recursive: true});
  const report = join(folder, 'report.xml');
  const started = Date.now();
  const left = files.length > 0 ? [] : ['--exclude', ...Object.keys(LEFT_OUT)];
  const words = ['-m', 'test', `-j${jobs}`, '-W', '-u', 'none', '--timeout', '900', '--junit-xml', report];
  const done = await python([...words, ...left, ...files], {
    cwd: folder,
    environment: {TMPDIR: folder},
    under: ['nice', '-n', '10'],
    ...(options.onOutput ? {onOutput: options.onOutput} : {}),
  });
  if (!existsSync(report))
    throw new Error(`the tests did not run:\n${done.stdout.slice(-4000)}\n${done.stderr.slice(-4000)}`);
  return {
    files: fileOutcomes(done.stdout),
    cases: caseOutcomes(readFileSync(report, 'utf8')),
    failures: [
      ...new Set(Array.from(done.stdout.matchAll(/^(?:ERROR|FAIL): (.+)$/gm), ([, text = '']) => text)),
    ],
    seconds: (Date.now() - started) / 1000,
  };
}

/** The runner's lines: `0:01:02 load avg: 1.90 [ 12/480/1] test_json passed (1 min 2 sec)`. */
export function fileOutcomes(printed: string): Record<string, string> {
  const outcomes: Record<string, string> = {};
  const line = /^\d+:\d\d:\d\d .*?\[ *\d+\/\d+(?:\/\d+)?\] ((?:test\.)?test_\S+) ([a-z][^\n]*)$/gm;
  for (const [, name = '', words = ''] of printed.matchAll(line)) {
    const outcome = words
      .replace(/ -- .*$/, '')
      .replace(/ \([^()]*(?:\([^()]*\))?[^()]*\)/g, '')
      .trim();
    // A file that is split into several, or run again, is as good as its worst run.
    if (outcomes[name] === undefined || outcome !== 'passed') outcomes[name] = outcome;
  }
  return outcomes;
}

/** Test cases in the runner's report. One that ran more than once is as good as its worst run. */
export function caseOutcomes(report: string): Record<string, CaseOutcome> {
  const rank = {passed: 0, skipped: 1, failed: 2};
  const outcomes: Record<string, CaseOutcome> = {};
  const element = /<testcase [^>]*?name="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs;
  for (const [, name = '', body = ''] of report.matchAll(element)) {
    const outcome = /<(failure|error)\b/.test(body)
      ? 'failed'
      : body.includes('<skipped')
        ? 'skipped'
        : 'passed';
    const before = outcomes[name];
    if (before === undefined || rank[outcome] > rank[before]) outcomes[name] = outcome;
  }
  return outcomes;
}

/** The file that a test case is from, among those that ran; undefined for those named after something else (doctests). */
export function fileOf(testCase: string, files: readonly string[]): string | undefined {
  const parts = testCase.replace(/^test\./, '').split('.');
  for (let length = Math.min(parts.length, 4); length > 0; length--) {
    const name = parts.slice(0, length).join('.');
    const found = files.find((file) => file === name || file === `test.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Runs the suite on one side of a subject, in places of their own below `folder`. */
export function runSide(
  subject: Subject,
  side: 'unmodified' | 'frozen',
  options: SuiteOptions,
): Promise<SuiteResults> {
  const python = subject.forTests(side, join(options.folder, side));
  return runSuite(python, {...options, folder: join(options.folder, `${side}-tests`)});
}
