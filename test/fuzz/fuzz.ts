/** The long form: a range of seeds, in batches; what differs is shrunk, told, and kept as a file that can be run again. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, readdirSync, realpathSync, statSync, writeFileSync} from 'node:fs';
import {isAbsolute, join, resolve} from 'node:path';
import {NEWER_SERIES, newerDebianRoot, runInRoot} from '../../support/debian-root.js';
import {type GateOptions, gateOptions, say} from '../../support/gate-options.js';
import {everyPython} from '../../support/pythons.js';
import {CACHE, PACKAGE} from '../../support/rig.js';
import type {Target} from './freeze.js';
import {generateProgram} from './generate/generate.js';
import type {Profile} from './generate/world.js';
import {type Verdict, inTurns, judge} from './judge.js';
import type {Program} from './program.js';
import {reproduction} from './report.js';
import {shrink} from './shrink.js';

/** Reads a Python's series, and follows its links. */
export function targetOf(host: Target['host'], python: string): Target {
  const code = 'import os, sys; print("%d.%d" % sys.version_info[:2], os.path.realpath(sys.executable))';
  const [series = '', ...path] = execFileSync(python, ['-I', '-c', code], {encoding: 'utf8'})
    .trim()
    .split(' ');
  return {host, series, python: path.join(' ')};
}

const VALUES = ['python', 'host', 'count', 'seed', 'batch', 'jobs', 'keep', 'replay'];

/** The programs of a file, or of all files in a directory. */
export function keptPrograms(path: string): readonly Program[] {
  const files = statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Program);
}

/** Gives false when there is a difference. */
export async function fuzz(profile: Profile, words: readonly string[]): Promise<boolean> {
  const options = gateOptions(words, {flags: ['no-shrink'], values: VALUES});
  const {python = 'python3'} = options.values;
  if (NEWER_SERIES.some((series) => series === python)) return fuzzInRoot(profile, options);
  // The root of a newer Debian has no `python3`: there the path is all that is known.
  const found = isAbsolute(python) ? undefined : everyPython().find(({series}) => series === python)?.python;
  return fuzzHere(profile, options, found ?? realpathSync(python));
}

/** The newer Pythons are in a root of their own: there the fuzzer runs as a whole. */
async function fuzzInRoot(profile: Profile, {flags, values}: GateOptions): Promise<boolean> {
  const {python = '', keep, replay, ...others} = values;
  const root = await newerDebianRoot();
  if (root === undefined) return false;
  if (keep !== undefined) mkdirSync(keep, {recursive: true});
  const places = Object.entries({keep, replay}).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, resolve(path)] as const],
  );
  mkdirSync(CACHE, {recursive: true});
  const binds: Record<string, 'read' | 'write'> = {[PACKAGE]: 'read', [CACHE]: 'write'};
  for (const [name, path] of places) binds[path] = name === 'keep' ? 'write' : 'read';
  const words = [
    ...['--python', `/usr/bin/python${python}`],
    ...[...places, ...Object.entries(others)].flatMap(([name, value]) => [`--${name}`, value]),
    ...[...flags].map((flag) => `--${flag}`),
  ];
  const bundle = JSON.stringify(process.env['FLASHFREEZE_BUNDLE']);
  const code = `import(${bundle}).then(async ({gate}) => process.exit((await gate(${JSON.stringify(words)})) ? 0 : 1))`;
  say(`${profile} in ${root}`);
  const environment = {FLASHFREEZE_TEST_CACHE: CACHE};
  const done = await runInRoot(root, ['node', '-e', code], {binds, environment, onOutput: say});
  if (!done.ok) throw new Error(done.failure.message);
  return done.value.exitCode === 0;
}

async function fuzzHere(profile: Profile, {flags, values}: GateOptions, python: string): Promise<boolean> {
  const host = values['host'] ?? 'relink';
  if (host !== 'relink' && host !== 'overlay') throw new Error(`--host ${host}: relink or overlay`);
  // Not with the results of other tests: what a thousand programs leave there is of no use to anybody.
  const target = {...targetOf(host, python), cache: join(CACHE, 'fuzz-store')};
  const [count, seed, size] = [
    Number(values['count'] ?? 100),
    Number(values['seed'] ?? 1),
    Number(values['batch'] ?? 250),
  ];
  const programs =
    values['replay'] === undefined
      ? Array.from({length: count}, (_, at) => generateProgram(profile, seed + at))
      : keptPrograms(values['replay']);
  const tally = {judged: 0, static: 0, unstable: 0, different: 0};
  const found = new Map<string, Verdict[]>();
  const batches = Array.from({length: Math.ceil(programs.length / size)}, (_, at) =>
    programs.slice(at * size, (at + 1) * size),
  );
  // Several batches at a time: a build has steps that use one core, such as its link.
  await inTurns(batches, Number(values['jobs'] ?? 2), async (batch) => {
    const begin = performance.now();
    for (const verdict of await judge(target, batch, batches.length > 1 ? 1 : 2)) {
      tally.judged++;
      if (verdict.static > 0) tally.static++;
      if (verdict.unstable !== undefined) {
        tally.unstable++;
        say(`${verdict.program.name} is not judged: ${verdict.unstable}`);
      }
      if (verdict.difference === undefined) continue;
      tally.different++;
      const {signature} = verdict.difference;
      found.set(signature, [...(found.get(signature) ?? []), verdict]);
    }
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    say(
      `${host} ${target.series}, ${batch[0]?.name ?? ''}…: ${tally.judged} judged, ${tally.static} of them in static code, ${tally.unstable} unstable, ${tally.different} different (${seconds} s)`,
    );
  });
  for (const [signature, verdicts] of found)
    await tell(target, signature, verdicts, flags.has('no-shrink'), values['keep']);
  return tally.different === 0;
}

async function tell(
  target: Target,
  signature: string,
  verdicts: readonly Verdict[],
  isWhole: boolean,
  keep: string | undefined,
): Promise<void> {
  const [first] = verdicts;
  if (first?.difference === undefined) return;
  say(
    `# ${verdicts.length} × ${signature}: ${verdicts
      .map(({program}) => program.name)
      .slice(0, 20)
      .join(' ')}`,
  );
  if (isWhole) {
    say(`original:\n${first.difference.original}\nfrozen:\n${first.difference.frozen}\n`);
    return;
  }
  const small = await shrink(target, first.program, signature);
  const [again] = await judge(target, [small]);
  say(reproduction(small, again?.difference ?? first.difference));
  if (keep === undefined) return;
  mkdirSync(keep, {recursive: true});
  writeFileSync(join(keep, `${small.name}.json`), `${JSON.stringify(small, null, 2)}\n`);
}
