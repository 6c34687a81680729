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
  const results = join(folder, 'results.json');
  try {
    const exitCode = await runJest([...argv, '--json', `--outputFile=${results}`]);
    if (existsSync(results)) console.log(countsOf(JSON.parse(readFileSync(results, 'utf8'))));
    return exitCode;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
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

function countsOf(results) {
  // A file that could not even be read has no tests to count, and did not pass.
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.numPendingTests + results.numTodoTests;
  return `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
