/**
 * Ten packages in snapshots on the system's Python: whether all that must hold does, in changed surroundings, at once, with files that are damaged or
 * replaced, with threads, forks and exceptions. Prints a line for each check that fails, and fails if there is one.
 *
 *     node bench/run.mjs checks [--on 'numpy torch'] [--rounds 100]
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import type {ProcessOutput} from '../../src/exec/process.js';
import {makeOtherLibraries, SURROUNDINGS} from '../../support/surroundings.js';
import {say, suiteOptions} from '../options.js';
import {CHECKED, type Checked, programsOf, uniqueProgram} from '../package-checks.js';
import {build, install, lastLine, PYTHON, Trial} from '../package-trial.js';

const STATE = 'import _flashfreeze; print(_flashfreeze.info()["snapshot"])';
const PLACES = 6;
/** A fork of a process with threads of OpenMP may wait for ever, with a snapshot or without. */
const PATIENTLY = 'exec timeout 30 "$@"';

export async function suite(words: readonly string[]): Promise<void> {
  const {on, rounds} = suiteOptions(words);
  for (const each of CHECKED) {
    if (on?.includes(each.name) === false) continue;
    const checks = new Checks(each, rounds);
    await checks.run();
    say(`${each.name}: ${checks.done - checks.failed} of ${checks.done} checks${checks.left}`);
    if (checks.failed > 0) process.exitCode = 1;
  }
}

function endOfSegments(bytes: Buffer): number {
  const first = Number(bytes.readBigUInt64LE(0x20));
  const parts = Array.from({length: bytes.readUInt16LE(0x38)}, (_, i) => first + 56 * i);
  const loaded = parts.filter((at) => bytes.readUInt32LE(at) === 1);
  return Math.max(
    ...loaded.map((at) => Number(bytes.readBigUInt64LE(at + 8) + bytes.readBigUInt64LE(at + 32))),
  );
}

class Checks {
  done = 0;
  failed = 0;
  left = '';
  private readonly trial: Trial;
  private readonly scripts: string;

  constructor(
    private readonly of: Checked,
    private readonly starts: number,
  ) {
    this.trial = new Trial(of.name);
    this.scripts = join(this.trial.home, 'checks');
  }

  async run(): Promise<void> {
    const {trial, scripts, of} = this;
    await install(trial, of, true);
    rmSync(scripts, {recursive: true, force: true});
    mkdirSync(scripts, {recursive: true});
    makeOtherLibraries(trial.home);
    const programs = {...programsOf(of), unique: uniqueProgram(of)};
    for (const [name, text] of Object.entries(programs))
      writeFileSync(join(scripts, `${name}.py`), `${text}\n`);
    const all =
      'concurrent.futures, concurrent.futures.thread, multiprocessing.pool, os, random, tempfile, uuid';
    const left = await build(trial, `import ${all}\n${of.imports}`);
    this.left = left === '' ? '' : `; left out: ${left}`;
    this.check('the start is one from the snapshot', await this.state(), 'restored');
    for (const name of Object.keys(programsOf(of))) await this.compare(name, PATIENTLY, name);
    for (const [name, text] of SURROUNDINGS) {
      if (of.without?.includes(name) !== true) await this.compare(name, text, 'work');
    }
    await this.unique();
    await this.atOnce();
    await this.damage();
    await this.replace();
  }

  private check(name: string, seen: unknown, expected: unknown): void {
    this.done++;
    const [own, usual] = [JSON.stringify(seen), JSON.stringify(expected)];
    if (own === usual) return;
    this.failed++;
    say(`${this.of.name}: ${name}: ${own.slice(0, 600)} instead of ${usual.slice(0, 600)}`);
  }

  private async state(): Promise<string> {
    return lastLine((await this.trial.run(this.trial.out, ['-c', STATE])).stdout);
  }

  /** What a script of ours prints, where a shell text starts it. */
  private async output(python: string, text: string, name: string): Promise<readonly unknown[]> {
    const script = join(this.scripts, `${name}.py`);
    const done = await this.trial
      .run('bash', ['-c', text, 'bash', python, script])
      .catch((error: unknown) => error);
    if (done instanceof Error) return [done.message];
    const {exitCode, stdout, stderr} = done as ProcessOutput;
    const plain = (said: string): string =>
      said.replaceAll(python, 'PYTHON').replaceAll(/0x[0-9a-f]+/g, '0x');
    return [exitCode, plain(stdout), plain(stderr)];
  }

  private async compare(name: string, text: string, script: string): Promise<void> {
    const expected = await this.output(PYTHON, text, script);
    this.check(name, await this.output(this.trial.out, text, script), expected);
  }

  /** With one number of the process, where that is allowed. */
  private async unique(): Promise<void> {
    const loop = `first="unshare --pid --fork --kill-child"; $first true 2>/dev/null || first=
      for i in $(seq ${this.starts}); do $first "$@" || exit 1; done`;
    const [, stdout] = await this.output(this.trial.out, loop, 'unique');
    const rows = String(stdout)
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    const different = rows[0]?.map((_, i) => new Set(rows.map((row) => row[i])).size);
    this.check(
      'no two starts share what they draw',
      different,
      rows[0]?.map(() => this.starts),
    );
  }

  private async atOnce(): Promise<void> {
    const [, one] = await this.output(PYTHON, 'exec "$@"', 'work');
    const [exitCode, stdout] = await this.output(
      this.trial.out,
      `seq ${this.starts} | xargs -P 16 -I{} "$@"`,
      'work',
    );
    this.check('many starts at once', [exitCode, stdout], [0, String(one).repeat(this.starts)]);
  }

  /** Of the file, behind what the kernel maps. */
  private async damage(): Promise<void> {
    const file = realpathSync(this.trial.out);
    const backup = join(this.trial.home, 'backup');
    const {size, atime, mtime} = statSync(file);
    const begin = endOfSegments(readFileSync(file));
    const expected = await this.output(PYTHON, 'exec "$@"', 'work');
    copyFileSync(file, backup);
    for (let i = 0; i < 2 * PLACES; i++) {
      const at = Math.floor(begin + (size - begin) * ((2 * (i % PLACES) + 1) / (2 * PLACES)));
      if (i < PLACES) truncateSync(file, at);
      else {
        const bytes = readFileSync(file);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
        writeFileSync(file, bytes);
      }
      this.check(
        `a file that is ${i < PLACES ? 'cut' : 'another'} at ${at}`,
        await this.output(this.trial.out, 'exec "$@"', 'work'),
        expected,
      );
      copyFileSync(backup, file);
      utimesSync(file, atime, mtime);
    }
    rmSync(backup);
    this.check('the start with the file as it was', await this.state(), 'restored');
  }

  /** A library that another one takes the place of, one that is written to, a package that is installed again or moved away. */
  private async replace(): Promise<void> {
    const {packages, home} = this.trial;
    if (!existsSync(packages)) return;
    const kept = join(home, 'kept');
    rmSync(kept, {recursive: true, force: true});
    const held = readdirSync(packages, {recursive: true, encoding: 'utf8'}).filter((name) =>
      /\.so(\.|$)/.test(name),
    );
    const ways: Readonly<Record<string, () => void>> = {
      'a library that another file takes the place of': () => {
        for (const each of held.map((name) => join(packages, name))) {
          copyFileSync(each, `${each}.new`);
          renameSync(`${each}.new`, each);
        }
      },
      'a library that is written to in place': () => {
        for (const each of held.map((name) => join(packages, name))) writeFileSync(each, readFileSync(each));
      },
      'a wheel that is installed again': () => {
        rmSync(packages, {recursive: true});
        cpSync(kept, packages, {recursive: true});
      },
      'an environment that is gone': () => {
        rmSync(packages, {recursive: true});
      },
    };
    renameSync(packages, kept);
    for (const [name, change] of Object.entries(ways)) {
      if (!existsSync(packages)) cpSync(kept, packages, {recursive: true, preserveTimestamps: true});
      change();
      const expected = await this.output(PYTHON, 'exec "$@"', 'work');
      this.check(name, await this.output(this.trial.out, 'exec "$@"', 'work'), expected);
      this.check(`${name}: an ordinary start`, (await this.state()) === 'restored', false);
    }
    rmSync(packages, {recursive: true, force: true});
    renameSync(kept, packages);
    this.check('the start with all as it was', await this.state(), 'restored');
  }
}
