import {appendFileSync} from 'node:fs';
import {relative} from 'node:path';

/**
 * A reporter of jest: appends what happens to a file, one JSON object a line, for the process that runs jest
 * (run-parts.mjs, which names the file in FLASHFREEZE_TEST_EVENTS) to print. Appending is synchronous, so that nothing is
 * lost when a test blocks or ends the process.
 */
export default class EventReporter {
  constructor() {
    endWithParent();
  }

  onTestFileStart({path}) {
    this.#append({event: 'file-started', file: nameOf(path), at: Date.now()});
  }

  onTestCaseStart({path}, {fullName}) {
    this.#append({event: 'case-started', file: nameOf(path), name: fullName, at: Date.now()});
  }

  onTestCaseResult({path}, {fullName, duration, status}) {
    this.#append({
      ...{event: 'case', file: nameOf(path), name: fullName, ms: duration ?? 0, status},
      at: Date.now(),
    });
  }

  onTestFileResult({path}, result) {
    const {numFailingTests, numPassingTests, numPendingTests, numTodoTests, perfStats} = result;
    this.#append({
      ...{event: 'file', file: nameOf(path), ms: perfStats.end - perfStats.start, at: Date.now()},
      passed: numPassingTests,
      // A file that could not even be read has no tests to count, and did not pass.
      failed: numFailingTests === 0 && result.testExecError ? 1 : numFailingTests,
      skipped: numPendingTests + numTodoTests,
      message: result.failureMessage ?? '',
      console: (result.console ?? []).map(({message}) => message).join('\n'),
    });
  }

  #append(event) {
    appendFileSync(process.env.FLASHFREEZE_TEST_EVENTS, `${JSON.stringify(event)}\n`);
  }
}

const nameOf = (path) => relative(process.cwd(), path);

/** jest runs in a process group of its own, which would go on when whoever started it is killed. */
function endWithParent() {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(0, 'SIGKILL');
  }, 500).unref();
}
