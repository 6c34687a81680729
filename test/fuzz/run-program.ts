/** One run of a program in one interpreter. */
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {leftBehind, readFolder, restoreFolder} from './folder-state.js';
import {type Start, ignoresEnvironment} from './program.js';
import {type Written, tagged, toBytes} from './write.js';
import {quoted} from './generate/world.js';
import {groupThreads, sleepingGroup} from './sleeping-group.js';
import {zipOf} from './zip.js';

export interface Outcome {
  /** As latin-1: one character a byte. */
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code, the signal, or `hangs`. */
  readonly end: string;
  readonly files: readonly string[];
  /** How many of its modules the program had as static code, where the interpreter is a frozen one. */
  readonly static: number;
}

/** A run that never ends is busy, for so many seconds of its own, */
const BUSY_SECONDS = 8;
/** or waits: all its threads sleep, looked at so often, and none has woken between. No program sleeps for longer than two seconds. */
const LOOKS = 4;
const LOOK_EVERY_MS = 1000;
/** or starts threads that start threads: no other program has so many, together and one after the other. */
const MOST_THREADS = 50;

/** Runs it, and brings the files back to what they were. */
export async function runProgram(written: Written, python: string): Promise<Outcome> {
  const {folder, tag, program} = written;
  const start = startOf(written, program.start);
  const before = readFolder(folder);
  const {stdout, stderr, end} = await runToEnd(python, start, folder);
  const after = readFolder(folder);
  restoreFolder(before, after);
  const count = join(folder, '..', `${tag}.static`);
  const used = existsSync(count) ? Number(readFileSync(count, 'utf8')) : 0;
  rmSync(count, {force: true});
  return {stdout, stderr, end, files: leftBehind(after), static: used};
}

interface Words {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly input: string;
}

/** The probe runs when the program has ended, however that happens. */
function prologue({folder, tag}: Written): string {
  const probe = quoted(join(import.meta.dirname, 'python', 'probe.py'));
  const names = `{'__name__': 'probe', 'ROOT': ${quoted(folder)}, 'TAG': '${tag}', 'EARLY': early}`;
  // An overlay comes late: what is imported before it is not static code, and not of the program.
  const early = `(lambda m: (set(m), m['_flashfreeze'].info()['used']) if '_flashfreeze' in m else (set(), 0))(__import__('sys').modules)`;
  const run = `lambda early: exec(compile(open(${probe}, 'rb').read(), 'probe', 'exec'), ${names})`;
  return `__import__('atexit').register(${run}, ${early})`;
}

/** Writes the file that starts the program, where there is one. */
function startOf(written: Written, start: Start): Words {
  const {folder, tag} = written;
  const within = (path: string): string => `${folder}/${tagged(path, tag)}`;
  const [path, sites] = [start.path.map(within), start.site.map(within)];
  const isIsolated = ignoresEnvironment(start.flags);
  const lines = [
    prologue(written),
    ...(isIsolated && path.length > 0 ? [`import sys; sys.path[:0] = [${path.map(quoted).join(', ')}]`] : []),
    ...sites.map((each) => `import site; site.addsitedir(${quoted(each)})`),
    ...start.statements,
  ];
  const text = `${tagged(lines.join('\n'), tag)}\n`;
  const environment = {
    ...(isIsolated || path.length === 0 ? {} : {PYTHONPATH: path.join(':')}),
    ...{PYTHONHASHSEED: '0', PYTHONIOENCODING: 'utf-8:backslashreplace', ...start.environment},
  };
  const words = (...args: string[]): Words => ({args: [...start.flags, ...args], environment, input: ''});
  mkdirSync(`${folder}/app`, {recursive: true});
  switch (start.form) {
    case 'script':
      writeFileSync(`${folder}/app/main.py`, text);
      return words(`${folder}/app/main.py`);
    case 'folder':
      writeFileSync(`${folder}/app/__main__.py`, text);
      return words(`${folder}/app`);
    case 'zip':
      writeFileSync(
        `${folder}/app/main.pyz`,
        zipOf({'__main__.py': text, [`zipped${tag}.py`]: 'inside = __file__\n'}),
      );
      return words(`${folder}/app/main.pyz`);
    case 'module':
      // Nothing else of the fuzzer runs before the module: the probe is registered by a start hook.
      writeFileSync(
        `${folder}/app/sitecustomize.py`,
        `${tagged([prologue(written), ...sites.map((each) => `import site; site.addsitedir(${quoted(each)})`)].join('\n'), tag)}\n`,
      );
      return {
        ...words('-m', tagged(start.module, tag)),
        environment: {...environment, PYTHONPATH: [...path, `${folder}/app`].join(':')},
      };
    case 'code':
      return words('-c', text);
    case 'input':
      return {...words('-'), input: text};
  }
}

function runToEnd(
  python: string,
  {args, environment, input}: Words,
  cwd: string,
): Promise<{stdout: string; stderr: string; end: string}> {
  // Arguments and variables go through a shell's `printf`, where they hold bytes that are no text.
  const hasBytes = [...args, ...Object.values(environment)].some((word) => /[\udc80-\udcff]/u.test(word));
  const [file, words] = hasBytes ? throughShell(python, args, environment) : [python, args];
  return new Promise((done, failed) => {
    const child = spawn('prlimit', [`--cpu=${BUSY_SECONDS}:${BUSY_SECONDS + 2}`, file, ...words], {
      cwd,
      env: {
        PATH: process.env['PATH'],
        HOME: cwd,
        LANG: 'C.UTF-8',
        TMPDIR: process.env['TMPDIR'],
        ...(hasBytes ? {} : environment),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const texts = {stdout: '', stderr: ''};
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('latin1').on('data', (text: string) => (texts[name] += text));
    let hangs = false;
    let [sleeping, looks] = ['', 0];
    const threads = new Set<string>();
    const timer = setInterval(() => {
      if (child.pid === undefined) return;
      const now = sleepingGroup(child.pid);
      looks = now !== undefined && now === sleeping ? looks + 1 : 0;
      sleeping = now ?? '';
      for (const each of groupThreads(child.pid)) threads.add(each);
      if (looks < LOOKS && threads.size <= MOST_THREADS) return;
      hangs = true;
      process.kill(-child.pid, 'SIGKILL');
    }, LOOK_EVERY_MS);
    child.stdin.on('error', () => undefined).end(input);
    child.on('error', failed);
    child.on('close', (code, signal) => {
      clearInterval(timer);
      done({...texts, end: hangs || signal === 'SIGXCPU' ? 'hangs' : (signal ?? String(code))});
    });
  });
}

/** Node passes arguments as UTF-8: bytes that are not go into a script for `sh`. */
function throughShell(
  python: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): [string, string[]] {
  const octal = (word: string): string =>
    `"$(printf '${[...toBytes(word)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}')"`;
  const set = Object.entries(environment).map(([name, value]) => `export ${name}=${octal(value)}`);
  return ['sh', ['-c', [...set, `exec ${[python, ...args].map(octal).join(' ')}`].join('\n')]];
}
