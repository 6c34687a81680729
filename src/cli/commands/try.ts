import type {SnapshotSource} from '../../inspect/trial/snapshot-trial.js';
import {type Trial, tryCommand} from '../../inspect/trial/trial.js';
import type {StartCondition} from '../../inspect/start-condition.js';
import {failure} from '../../model/failure.js';
import {quoteForShell, splitCommandLine} from '../../model/shell-words.js';
import {count} from '../../report/wording.js';
import type {CommandEnd, Invocation, Session} from '../command.js';
import {alignColumns, percent} from '../table.js';

/** The conditions, in the words of the table. */
const LABELS: Readonly<Record<StartCondition, string>> = {
  warm: 'with .pyc files',
  'no-bytecode': 'without .pyc files',
  cold: 'with a cold page cache',
};
const HEAD = ['', 'as it is', 'frozen', '+-', 'left'];
const SNAPSHOT_HEAD = ['snapshot', 'left'];

/** `flashfreeze try 'COMMAND'`: what freezing a program would give. */
export async function run({invocation, context, product}: Session): Promise<CommandEnd> {
  if (context.dryRun) {
    return {failure: failure('USAGE', 'try runs the program, so it cannot be combined with --dry-run')};
  }
  const command = splitCommandLine(invocation.word ?? '');
  if (command === undefined) {
    return {failure: failure('USAGE', `the command has an unclosed quote: ${invocation.word ?? ''}`)};
  }
  if (command.length === 0) {
    const hint = "quote it, so that it is one word: flashfreeze try 'hg version'";
    return {failure: failure('USAGE', 'try needs a command', {hint})};
  }
  const tried = await tryCommand(command, snapshotSource(invocation.options), context);
  if (!tried.ok) return {failure: tried.failure};
  const trial = tried.value;
  product({text: headline(quoteForShell(command), trial), record: {type: 'trial', command, ...trial}});
  for (const line of table(trial)) product({text: line});
  product({text: ''});
  product({text: `to keep it: ${quoteForShell(trial.permanent)}`});
  product({text: `and start:  ${quoteForShell(trial.start)}`});
  for (const text of snapshotLines(trial)) product({text});
  const {python, modules, rows} = trial;
  return {
    ...{python, modules},
    ratios: Object.fromEntries(rows.map(({condition, wall}) => [condition, {wall, instructions: null}])),
  };
}

function snapshotSource({
  source,
  snapshot,
  'build-dir': buildDir,
  'configure-arg': configureArguments = [],
}: Invocation['options']): SnapshotSource | 'own' | undefined {
  if (source === undefined) return snapshot === true ? 'own' : undefined;
  return {base: {kind: 'source', source, configureArguments, makeArguments: []}, buildDir};
}

function headline(command: string, {python, modules, method}: Trial): string {
  const how = {link: 'relinked', graft: 'grafted', overlay: 'with an overlay'}[method];
  return `${command}: Python ${python}, ${how}, ${count(modules, 'frozen module')}; it prints the same`;
}

function snapshotLines({snapshot}: Trial): readonly string[] {
  if (snapshot.state === 'none') return [`no snapshot: ${snapshot.reason}`];
  return [
    `to keep the snapshot (Python ${snapshot.python}): ${quoteForShell(snapshot.permanent)}`,
    `and start it: ${quoteForShell(snapshot.command)}`,
  ];
}

function table({rows, memory, snapshot}: Trial): readonly string[] {
  const isMeasured = snapshot.state === 'measured';
  const starts = rows.map(({condition, original, frozen, wall}) => [
    LABELS[condition],
    milliseconds(original.median),
    milliseconds(frozen.median),
    milliseconds(Math.max(original.spread, frozen.spread)),
    percent(wall),
    // Without bytecode, and with a cold page cache, a snapshot is not measured.
    ...(isMeasured && condition === 'warm'
      ? [milliseconds(snapshot.start.median), percent(snapshot.wall)]
      : []),
  ]);
  const {original, frozen} = memory;
  const size = ['memory', megabytes(original), megabytes(frozen), '', percent(frozen / original)];
  // Its memory is not measured: the figure is at least that of the Python which starts it.
  return alignColumns([isMeasured ? [...HEAD, ...SNAPSHOT_HEAD] : HEAD, ...starts, size]);
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function megabytes(kilobytes: number): string {
  return `${(kilobytes / 1024).toFixed(1)} MB`;
}
