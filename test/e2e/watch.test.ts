/** Edits under `watch`, through the command line: the last state of the sources is what the interpreter has. */
import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {findPythons} from '../../support/pythons.js';
import {type JsonEvent, PACKAGE, run} from '../../support/rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(10 * 60_000);

const folder = temporaryDirectory('watch');
const app = join(folder, 'app');
const out = join(folder, 'python');
const python = findPythons().at(-1);
const MODULES = ['one', 'two', 'pk.three', 'pk.four'] as const;
type Module = (typeof MODULES)[number];

const at = (path: string): string => join(app, path);
const fileOf = (module: Module): string => at(`${module.replace('.', '/')}.py`);

/** A module whose word is told by a function, so that it is code that tells it. */
const sourceOf = (word: string): string => `def word():\n    return ${JSON.stringify(word)}\n`;

/** Tells the word of each module and whether its code is static; null for a module that is not there. */
const QUESTION = `
import sys, json, importlib, _flashfreeze
sys.path.insert(0, ${JSON.stringify(app)})
answer = {}
for name in ${JSON.stringify(MODULES)}:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        answer[name] = None
    else:
        answer[name] = [module.word(), _flashfreeze.is_static(module.word.__code__)]
print(json.dumps(answer))`;

/** The watching process, and what it has told. */
class Watch {
  readonly events: JsonEvent[] = [];
  stderr = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  private rest = '';

  constructor(args: readonly string[]) {
    const all = ['watch', ...args, '--json', '--cache-dir', join(folder, 'cache')];
    this.child = spawn(process.execPath, [join(PACKAGE, 'bin', 'flashfreeze.mjs'), ...all], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.rest + text).split('\n');
      this.rest = lines.pop() ?? '';
      this.events.push(...lines.map((line) => JSON.parse(line) as JsonEvent));
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((done) => this.child.on('close', done));
  }

  builds(): readonly JsonEvent[] {
    return this.events.filter(({type}) => type === 'build');
  }

  /** Waits for something that is bound to come. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 120_000;
    while (!(await condition())) {
      if (Date.now() > deadline || this.child.exitCode !== null) {
        throw new Error(`${what} did not come\n${this.stderr}\n${JSON.stringify(this.builds().at(-1))}`);
      }
      await pause(50);
    }
  }

  interrupt(): Promise<number | null> {
    this.child.kill('SIGINT');
    return this.ended;
  }
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function answer(): Promise<Record<Module, readonly [string, boolean] | null> | undefined> {
  if (!existsSync(out)) return undefined;
  const done = await run(out, ['-B', '-c', QUESTION]);
  if (done.exitCode !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout) as Record<Module, readonly [string, boolean] | null>;
}

/** What the interpreter is to have: the words of all modules, as static code. */
const words = new Map<Module, string | null>(MODULES.map((module) => [module, 'first']));
const expected = () =>
  Object.fromEntries(
    MODULES.map((module) => [module, words.get(module) === null ? null : [words.get(module), true]]),
  );

function edit(module: Module, word: string): void {
  words.set(module, word);
  writeFileSync(fileOf(module), sourceOf(word));
}

let watch: Watch;
beforeAll(async () => {
  if (python === undefined) throw new Error('there is no Python');
  mkdirSync(at('pk'), {recursive: true});
  writeFileSync(at('pk/__init__.py'), '');
  for (const module of MODULES) edit(module, 'first');
  const imports = MODULES.map((name) => `try: import ${name}\nexcept ModuleNotFoundError: pass\n`).join('');
  writeFileSync(at('main.py'), imports);
  const trace = ['--trace', at('main.py'), '--jobs', '2'];
  const exec = ['--exec', `echo "$$" >> ${join(folder, 'runs')}; exec sleep 1000`];
  watch = new Watch(['relink', '--python', python.python, '--out', out, ...trace, ...exec]);
  await watch.until('the first build', () => watch.builds().length > 0);
});
afterAll(async () => {
  await watch.interrupt();
});

/** Waits until the interpreter has the last state, and says so where it has not. */
async function hasLastState(): Promise<void> {
  let last: unknown;
  await watch
    .until('the last state', async () => {
      last = await answer();
      return JSON.stringify(last) === JSON.stringify(expected());
    })
    .catch(() => undefined);
  expect(last).toEqual(expected());
}

const runs = (): string[] =>
  existsSync(join(folder, 'runs')) ? readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n') : [];
const lives = (pid: string | undefined): boolean => existsSync(`/proc/${pid ?? 'none'}/cmdline`);

test('the first build is a build', async () => {
  expect(watch.builds()).toMatchObject([
    {ok: true, command: 'relink', changed: [], output: out, python: expect.any(String)},
  ]);
  await hasLastState();
  await watch.until('the command', () => runs().length === 1);
  expect(lives(runs()[0])).toBe(true);
});

test('an edit costs the actions of its module and the link, and restarts the command', async () => {
  const before = watch.builds().length;
  edit('one', 'edited');
  await watch.until('a build', () => watch.builds().length > before);
  expect(watch.builds().at(-1)).toMatchObject({
    ok: true,
    changed: [fileOf('one')],
    executed: ['compile:one', 'generate:one', 'link:python'],
  });
  await hasLastState();
  await watch.until('the command', () => runs().length === 2);
  expect(lives(runs()[0])).toBe(false);
  expect(lives(runs()[1])).toBe(true);
});

test('a module with a syntax error is left to its ordinary import until it is fixed', async () => {
  const before = watch.builds().length;
  writeFileSync(fileOf('two'), 'def word(:\n');
  await watch.until('a build', () => watch.builds().length > before);
  expect(watch.builds().at(-1)).toMatchObject({ok: true, changed: [fileOf('two')]});
  // No program runs again: it would end at that import, and the modules after it would be forgotten.
  expect(watch.builds().at(-1)?.['executed']).not.toContain('discover:modules');
  expect(watch.stderr).toMatch(/warning: 1 module does not compile.*: two \(.*two\.py:1\): SyntaxError: /);
  const tried = await run(out, ['-B', '-c', QUESTION]);
  expect(tried.exitCode).toBe(1);
  expect(tried.stderr).toMatch(/two\.py", line 1\n +def word\(:\n[^]*SyntaxError: /);
  const others = QUESTION.replace('"two",', '');
  expect(JSON.parse((await run(out, ['-B', '-c', others])).stdout)).toEqual(
    Object.fromEntries(Object.entries(expected()).filter(([name]) => name !== 'two')),
  );
  // The module that still does not compile is no reason for another build: the next one is that of the next edit.
  const started = runs().length;
  edit('two', 'mended');
  await hasLastState();
  // The new interpreter is there before the build is reported, and before the command is restarted.
  await watch.until('its build', () => watch.builds().length > before + 1);
  expect(watch.builds()[before + 1]).toMatchObject({
    changed: [fileOf('two')],
    executed: expect.arrayContaining(['compile:two']),
  });
  await watch.until('the command', () => runs().length > started);
});

test('a file that is only touched does not restart the command', async () => {
  const [before, started] = [watch.builds().length, runs().length];
  const now = new Date();
  utimesSync(fileOf('one'), now, now);
  await watch.until('a build', () => watch.builds().length > before);
  expect(watch.builds().at(-1)).toMatchObject({ok: true, executed: []});
  await hasLastState();
  expect(runs()).toHaveLength(started);
});

test('a package that is removed and comes back', async () => {
  renameSync(at('pk'), join(folder, 'away'));
  words.set('pk.three', null).set('pk.four', null);
  await hasLastState();
  renameSync(join(folder, 'away'), at('pk'));
  words.set('pk.three', 'first').set('pk.four', 'first');
  await hasLastState();
  edit('pk.four', 'after all');
  await hasLastState();
});

test('twenty edits at random: the last state is what the interpreter has', async () => {
  // A linear congruential generator (Numerical Recipes, 2nd edition, §7.1): the same edits each time.
  let seed = 2026;
  const random = (below: number): number => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let i = 0; i < 20; i += 1) {
    const module = MODULES[random(MODULES.length)] ?? 'one';
    const file = fileOf(module);
    const word = words.get(module) ?? null;
    const kind = word === null ? 'restore' : (['content', 'touch', 'rename', 'delete'] as const)[random(4)];
    if (kind === 'content') edit(module, `word ${i}`);
    else if (kind === 'touch') utimesSync(file, new Date(), new Date());
    else if (kind === 'delete') {
      rmSync(file);
      words.set(module, null);
    } else if (kind === 'restore') edit(module, `restored ${i}`);
    else {
      // An atomic save: the new text is renamed over the old one.
      writeFileSync(`${file}.new`, sourceOf(`renamed ${i}`));
      renameSync(`${file}.new`, file);
      words.set(module, `renamed ${i}`);
    }
    // Some in the middle of a build, some in a quick row, some when all is quiet.
    await pause([0, 30, 200, 900][random(4)] ?? 0);
    if (i % 5 === 4) await hasLastState();
  }
  await hasLastState();
});

test('a branch is switched, and back: hundreds of files at once', async () => {
  for (const word of ['of the branch', 'of the trunk']) {
    for (let i = 0; i < 600; i += 1) {
      writeFileSync(at(`pk/unused_${i}.py`), sourceOf(word));
      // The files that matter lie in between.
      const module = MODULES[i / 150];
      if (module !== undefined) edit(module, word);
    }
    await hasLastState();
  }
  for (let i = 0; i < 600; i += 1) rmSync(at(`pk/unused_${i}.py`));
  edit('pk.three', 'after the removals');
  await hasLastState();
});

test('ends when it is interrupted, and its command with it', async () => {
  const last = runs().at(-1);
  expect(await watch.interrupt()).toBe(130);
  expect(watch.events.at(-1)).toMatchObject({type: 'summary', ok: false, command: 'watch'});
  expect(lives(last)).toBe(false);
});
