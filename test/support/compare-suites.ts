/** What passes in the unmodified interpreter has to pass in the frozen one. */
import {type SuiteResults, fileOf} from './cpython-suite.js';

export interface Known {
  /** The name of a test case or file, or its beginning with a `*`. */
  readonly name: string;
  /** Why it may not pass: a test that asserts that a module is not frozen. */
  readonly reason: string;
}

export interface Difference {
  readonly kind: 'file' | 'case' | 'failure';
  readonly name: string;
  readonly unmodified: string;
  readonly frozen: string;
  /** The test file to run to see it again. */
  readonly file: string | undefined;
  readonly known?: string;
}

/**
 * Everything that passed unmodified and did not pass frozen, or did not run there. Only what the unmodified interpreter
 * ran is compared.
 */
export function differences(
  unmodified: SuiteResults,
  frozen: SuiteResults,
  known: readonly Known[],
): Difference[] {
  const files = Object.keys(frozen.files);
  const worse = (kind: 'file' | 'case'): Difference[] => {
    const [expected, found] =
      kind === 'file' ? [unmodified.files, frozen.files] : [unmodified.cases, frozen.cases];
    return Object.entries(expected)
      .filter(([name, outcome]) => outcome === 'passed' && found[name] !== 'passed')
      .map(([name]) => {
        const reason = known.find((each) => matches(each.name, name))?.reason;
        return {
          ...{kind, name, unmodified: 'passed', frozen: found[name] ?? 'did not run'},
          file: kind === 'file' ? name : fileOf(name, files),
          ...(reason === undefined ? {} : {known: reason}),
        };
      });
  };
  const failures = frozen.failures
    .filter((text) => !unmodified.failures.includes(text))
    .map((text): Difference => {
      // `test_x (test.test_y.Class.test_x) (subtest=1)`
      const file = fileOf(/\((test\.[\w.]+)\)/.exec(text)?.[1] ?? '', files);
      const reason = known.find((each) => matches(each.name, text))?.reason;
      return {
        ...{kind: 'failure', name: text, unmodified: 'no such failure', frozen: 'failed', file},
        ...(reason === undefined ? {} : {known: reason}),
      };
    });
  return [...worse('file'), ...worse('case'), ...failures];
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** How many there are of each outcome: `512 passed, 3 skipped`. */
export function tally(outcomes: Readonly<Record<string, string>>): string {
  const counts = new Map<string, number>();
  for (const outcome of Object.values(outcomes)) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(', ');
}
