/**
 * Twenty-five programs and libraries of Debian 12 do the same in an unmodified Python 3.11 and in one in which they are frozen: what
 * they print, and how they end.
 */
import {existsSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {messageOf} from '../../../src/model/errno.js';
import {DEBIAN_PROGRAMS} from '../../../support/debian-programs.js';
import {debianRoot, runInRoot} from '../../../support/debian-root.js';
import {gateOptions, say} from '../../../support/gate-options.js';
import {makeDirectory} from '../../../support/make-directory.js';
import {
  DEBIAN_PYTHON,
  type Host,
  type Outcome,
  PROGRAM_HOSTS,
  freezeProgram,
  invoke,
  outcomesOf,
} from '../../../support/program-outcomes.js';
import type {Program, Workplace} from '../../../support/programs.js';
import {CACHE, PACKAGE} from '../../../support/rig.js';
import {openWorkplace} from '../../../support/workplace.js';

export async function gate(words: readonly string[]): Promise<boolean> {
  const {flags, values} = gateOptions(words, {flags: ['here'], values: ['host', 'only']});
  if (!flags.has('here')) return gateInRoot(words);
  const {host: chosen = 'relink'} = values;
  const host = PROGRAM_HOSTS.find((each) => each === chosen);
  if (host === undefined) throw new Error(`--host ${chosen}: choose from ${PROGRAM_HOSTS.join(', ')}`);
  const only = values['only']?.split(/[\s,]+/);
  const wanted = DEBIAN_PROGRAMS.filter(
    ({name}) => only === undefined || only.includes(name.split(' ')[0] ?? ''),
  );
  const {work, close} = await openWorkplace();
  let same = 0;
  try {
    for (const program of wanted) {
      try {
        if (await isSame(work, program, host)) same++;
      } catch (error) {
        // The other programs are compared all the same.
        say(`${program.name}: ${messageOf(error)}`);
      }
    }
  } finally {
    close();
  }
  say(`${host}: ${same} of ${wanted.length} programs are the same`);
  return same === wanted.length;
}

/** The programs are in a root of their own: there this gate runs as a whole. Its cache and builds are the tests' own. */
async function gateInRoot(words: readonly string[]): Promise<boolean> {
  const root = await debianRoot('programs-root-bookworm');
  if (root === undefined) return false;
  const bundle = JSON.stringify(process.env['FLASHFREEZE_BUNDLE']);
  const code = `import(${bundle}).then(async ({gate}) => process.exit((await gate(${JSON.stringify([...words, '--here'])})) ? 0 : 1))`;
  mkdirSync(CACHE, {recursive: true});
  const done = await runInRoot(root, ['node', '-e', code], {
    binds: {[PACKAGE]: 'read', [CACHE]: 'write'},
    environment: {FLASHFREEZE_TEST_CACHE: CACHE},
    onOutput: say,
  });
  if (!done.ok) throw new Error(done.failure.message);
  return done.value.exitCode === 0;
}

async function isSame(work: Workplace, program: Program, host: Host): Promise<boolean> {
  const told = (text: string, isGood = false): boolean => {
    say(`${program.name}: ${text}`);
    return isGood;
  };
  if (!existsSync(program.needs)) return told(`there is no ${program.needs}`);
  const original = await outcomesOf(work, program, DEBIAN_PYTHON);
  const begin = performance.now();
  const place = makeDirectory('debian-programs');
  const frozen = await freezeProgram(work, program, host, {folder: place, builds: join(place, 'builds')});
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  const code = 'import _flashfreeze as f; print(f.info()["active"], len(f.modules()))';
  const [active, modules] = (await invoke(work, frozen, ['-c', code])).stdout.trim().split(' ');
  if (active !== 'True') return told('nothing is frozen');
  const outcomes = await outcomesOf(work, program, frozen);
  let differing = outcomes.filter((each, i) => !isEqual(each, original[i]));
  // What differs in the original itself says nothing.
  if (differing.length > 0) {
    const again = await outcomesOf(work, program, DEBIAN_PYTHON);
    const unstable = again.filter((each, i) => !isEqual(each, original[i])).map(({words}) => words);
    for (const each of unstable) say(`  differs from run to run: ${each}`);
    differing = differing.filter(({words}) => !unstable.includes(words));
  }
  for (const each of differing)
    show(
      each,
      original.find(({words}) => words === each.words),
    );
  const frozenIn = `${modules ?? '?'} modules frozen in ${seconds} s`;
  if (differing.length === 0) return told(`the same in ${original.length} commands, ${frozenIn}`, true);
  return told(`${differing.length} of ${original.length} commands differ, ${frozenIn}`);
}

const isEqual = (one: Outcome, other: Outcome | undefined): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

function show(frozen: Outcome, original: Outcome | undefined): void {
  say(`  differs: ${frozen.words}: exit code ${original?.exitCode ?? '?'}, frozen ${frozen.exitCode ?? '?'}`);
  for (const part of ['stdout', 'stderr'] as const) {
    const [before, after] = [original?.[part].split('\n') ?? [], frozen[part].split('\n')];
    const at = after.findIndex((line, i) => line !== before[i]);
    const first = at < 0 ? after.length : at;
    if (before.join('\n') === after.join('\n')) continue;
    say(
      `    ${part}, line ${first + 1}: ${before[first] ?? '(nothing)'}\n    frozen: ${after[first] ?? '(nothing)'}`,
    );
  }
}
