/** The long form: a range of seeds, in batches; what differs is shrunk, told, and kept as a file that can be run again. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, realpathSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gateOptions, say} from '../../support/gate-options.js';
import type {Target} from './freeze.js';
import {generateProgram} from './generate/generate.js';
import type {Profile} from './generate/world.js';
import {type Verdict, judge} from './judge.js';
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

/** Gives false when there is a difference. */
export async function fuzz(profile: Profile, words: readonly string[]): Promise<boolean> {
  const {flags, values} = gateOptions(words, {
    flags: ['no-shrink'],
    values: ['python', 'host', 'count', 'seed', 'batch', 'keep', 'replay'],
  });
  const host = values['host'] ?? 'relink';
  if (host !== 'relink' && host !== 'overlay') throw new Error(`--host ${host}: relink or overlay`);
  const target = targetOf(host, realpathSync(values['python'] ?? 'python3'));
  const [count, seed, size] = [
    Number(values['count'] ?? 100),
    Number(values['seed'] ?? 1),
    Number(values['batch'] ?? 100),
  ];
  const replay = values['replay'];
  const programs =
    replay === undefined
      ? Array.from({length: count}, (_, at) => generateProgram(profile, seed + at))
      : [JSON.parse(readFileSync(replay, 'utf8')) as Program];
  const tally = {judged: 0, static: 0, unstable: 0, different: 0};
  const found = new Map<string, Verdict[]>();
  for (let at = 0; at < programs.length; at += size) {
    const begin = performance.now();
    for (const verdict of await judge(target, programs.slice(at, at + size))) {
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
      `${host} ${target.series}, ${profile} ${seed + at}…: ${tally.judged} judged, ${tally.static} of them in static code, ${tally.unstable} unstable, ${tally.different} different (${seconds} s)`,
    );
  }
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
