import {spawn} from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {constants, tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {duration, failures, followRun, notFound, slowest} from './progress.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const REPORTER = fileURLToPath(new URL('reporter.mjs', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** How often it says what runs. */
const PROGRESS_MS = 15_000;
/** How long processes that were asked to end may take for it. */
const GRACE_MS = 5000;

/**
 * Runs jest once for each part and prints what comes of it. The last line counts: `12 passed, 0 failed`; a file that
 * FLASHFREEZE_TEST_COUNTS names gets the two numbers, too.
 * At the second that FLASHFREEZE_TEST_UNTIL names (of Unix time), what runs ends, and the files that are left are named, and not counted.
 * On a signal, jest and all that it started end at once, no other part begins, and this process ends by the same signal.
 * @param {readonly {name: string, args: readonly string[], environment?: Readonly<Record<string, string>>}[]} parts
 * @returns {Promise<number>} the exit code
 */
export async function runParts(parts) {
  const directory = mkdtempSync(join(tmpdir(), 'flashfreeze-results-'));
  const missing = process.env.FLASHFREEZE_TEST_NOT_FOUND ?? join(directory, 'not-found');
  const run = followRun();
  const begun = Date.now();
  const interruption = onSignal();
  try {
    for (const [index, part] of parts.entries()) {
      if (part.name !== '') print(`== ${part.name}`);
      const events = join(directory, `events${index}`);
      const failedBefore = run.counts.failed;
      const stop = follow(events, run, begun);
      const code = await runJest(part, {events, missing}, interruption);
      stop();
      if (interruption.signal !== undefined) return await endBy(interruption.signal, directory);
      if (interruption.isOutOfTime) {
        print(outOfTime(parts.slice(index), run.files));
        break;
      }
      if (code === 0 || run.counts.failed > failedBefore) continue;
      print(`== ${part.name}: jest ended with exit code ${code}, and no test failed`);
      run.counts.failed += 1;
    }
    process.stdout.write(slowest(run.files));
    if (existsSync(missing)) process.stdout.write(notFound(readFileSync(missing, 'utf8')));
    process.stdout.write(failures(run.files));
    const {passed, failed, skipped} = run.counts;
    const total = process.env.FLASHFREEZE_TEST_COUNTS;
    if (total !== undefined) writeFileSync(total, `${passed} ${failed}\n`);
    print(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
    return failed > 0 ? 1 : 0;
  } finally {
    interruption.dispose();
    rmSync(directory, {recursive: true, force: true});
  }
}

/** @param parts the one that was ended, and those after it */
function outOfTime(parts, ended) {
  const files = parts.flatMap(({args}) => args.filter((word) => word.startsWith('test/')));
  const left = files.filter((file) => !ended.some((each) => each.file === file));
  return `== OUT OF TIME: the machine is slow, and these did not run to their end:\n${left.join('\n')}`;
}

const print = (text) => process.stdout.write(`${text}\n`);

/** Prints what jest reports as it comes, and what runs from time to time; the function returned ends that. */
function follow(path, run, begun) {
  let file;
  let rest = '';
  const buffer = Buffer.alloc(1 << 16);
  const drain = () => {
    file ??= existsSync(path) ? openSync(path, 'r') : undefined;
    if (file === undefined) return;
    for (let size; (size = readSync(file, buffer)) > 0;) {
      const lines = (rest + buffer.toString('latin1', 0, size)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines)
        process.stdout.write(run.take(JSON.parse(Buffer.from(line, 'latin1').toString())));
    }
  };
  const reading = setInterval(drain, 200);
  const telling = setInterval(() => {
    drain();
    const now = Date.now();
    print(`-- after ${duration(now - begun)}: ${run.line(now)}`);
  }, PROGRESS_MS);
  return () => {
    clearInterval(reading);
    clearInterval(telling);
    drain();
    if (file !== undefined) closeSync(file);
  };
}

/** The exit code of jest, which leads a process group of its own. */
async function runJest({args, environment = {}}, {events, missing}, interruption) {
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const child = spawn(process.execPath, [...node, jest, ...args, `--reporters=${REPORTER}`], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    env: {
      ...process.env,
      ...environment,
      FLASHFREEZE_TEST_EVENTS: events,
      FLASHFREEZE_TEST_NOT_FOUND: missing,
    },
  });
  interruption.group = child.pid;
  const until = process.env.FLASHFREEZE_TEST_UNTIL;
  const end = () => {
    interruption.isOutOfTime = true;
    signalGroup(child.pid, 'SIGTERM');
  };
  const limit = until === undefined ? undefined : setTimeout(end, Math.max(0, until * 1000 - Date.now()));
  const code = await new Promise((done) => {
    child.once('error', () => done(127));
    child.once('exit', (exitCode, signal) => {
      if (signal !== null && !interruption.isOutOfTime) interruption.signal ??= signal;
      done(exitCode ?? 128 + constants.signals[signal]);
    });
  });
  clearTimeout(limit);
  if ((interruption.signal !== undefined || interruption.isOutOfTime) && child.pid !== undefined)
    await endGroup(child.pid, interruption.signal ?? 'SIGTERM');
  interruption.group = undefined;
  return code;
}

/** Passes signals on to the process group of jest, and remembers the first. */
function onSignal() {
  const interruption = {signal: undefined, isOutOfTime: false, group: undefined, dispose: undefined};
  const interrupt = (signal) => {
    interruption.signal ??= signal;
    if (interruption.group !== undefined) signalGroup(interruption.group, signal);
  };
  const handlers = SIGNALS.map((signal) => {
    const handler = () => interrupt(signal);
    process.on(signal, handler);
    return [signal, handler];
  });
  const watching = onNpmGone(() => interrupt('SIGHUP'));
  interruption.dispose = () => {
    clearInterval(watching);
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
  return interruption;
}

/**
 * Calls back once npm, which runs this as a script of package.json, has ended: it was killed. Somebody else's child may outlive
 * its parent (nohup).
 */
function onNpmGone(callBack) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const parent = process.ppid;
  const watching = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watching);
    callBack();
  }, 200);
  return watching.unref();
}

/** Ends what jest left running, and waits for it; what does not end in time is killed. */
async function endGroup(group, signal) {
  signalGroup(group, signal);
  for (const end = Date.now() + GRACE_MS; Date.now() < end;) {
    if (!isGroupRunning(group)) return;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  signalGroup(group, 'SIGKILL');
}

/** Whether any process of a group runs. A zombie does not: its parent may never take notice of it. */
function isGroupRunning(group) {
  if (!existsSync('/proc/self/stat')) return signalGroup(group, 0);
  return readdirSync('/proc').some((name) => {
    try {
      const stat = /^\d+$/.test(name) ? readFileSync(join('/proc', name, 'stat'), 'latin1') : '';
      const [state, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(itsGroup) === group && state !== 'Z' && state !== 'X';
    } catch {
      return false; // It ended meanwhile.
    }
  });
}

/** Whether there is such a group. */
function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

async function endBy(signal, directory) {
  print(`interrupted by ${signal}`);
  rmSync(directory, {recursive: true, force: true});
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // The signal is on its way.
  await new Promise((wake) => setTimeout(wake, 1000));
  return 128 + constants.signals[signal];
}
