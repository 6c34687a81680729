// `npm test`: sets the checkout up and runs jest with the arguments given. The last line counts what came of it.
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {isNodeNewEnough} from './node-version.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

process.exitCode = await test(process.argv.slice(2));

async function test(argv) {
  if (!isNodeNewEnough()) return 1;
  const {prepare} = await import('./prepare.mjs');
  if (!(await prepare())) return 1;
  const folder = mkdtempSync(join(tmpdir(), 'flashfreeze-results-'));
  try {
    const counts = {passed: 0, failed: 0, skipped: 0};
    let exitCode = 0;
    for (const [index, words] of runsFor(argv).entries()) {
      const results = join(folder, `results${index}.json`);
      exitCode = Math.max(exitCode, await runJest([...words, '--json', `--outputFile=${results}`]));
      if (existsSync(results)) add(counts, JSON.parse(readFileSync(results, 'utf8')));
    }
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
    console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
    return exitCode;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** Without arguments everything: unit tests side by side, then, one at a time, those that build CPython and share its folders. */
function runsFor(argv) {
  return argv.length > 0
    ? [argv]
    : [['test/unit'], ['--runInBand', 'test/e2e', 'test/conformance', 'test/fidelity', 'test/endurance']];
}

/** The exit code of jest. Ctrl-C reaches it by itself, in the same process group; another request to end is passed on. */
function runJest(argv) {
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const child = spawn(process.execPath, [...node, jest, ...argv], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill());
  return new Promise((done) => {
    child.once('exit', (code) => {
      done(code ?? 1);
    });
  });
}

function add(counts, results) {
  counts.passed += results.numPassedTests;
  // A file that could not even be read has no tests to count, and did not pass.
  counts.failed += results.numFailedTests + results.numRuntimeErrorTestSuites;
  counts.skipped += results.numPendingTests + results.numTodoTests;
}
