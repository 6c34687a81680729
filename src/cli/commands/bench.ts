import {statSync} from 'node:fs';
import type {OtherCondition} from '../../inspect/bench-conditions.js';
import {benchmark} from '../../inspect/benchmark.js';
import {
  type BenchSubject,
  overlaySubject,
  relinkSubject,
  sourceSubject,
} from '../../inspect/bench-subjects.js';
import type {HostContext} from '../../pipeline/build-options.js';
import {failure} from '../../model/failure.js';
import type {Result} from '../../model/result.js';
import {benchTable, ratiosOf} from '../bench-table.js';
import type {CommandEnd, Invocation, Session} from '../command.js';
import {requireOption, relinkOptionsOf} from '../args/host-options.js';

const DEFAULT_COMMANDS = ['-c pass'];
const DEFAULT_RUNS = 40;
const OTHER_CONDITIONS: readonly OtherCondition[] = ['no-bytecode', 'cold'];

/** `flashfreeze bench`: both interpreters of a build, the same commands. */
export async function run({invocation, context, product}: Session): Promise<CommandEnd> {
  const {options} = invocation;
  if (context.dryRun) {
    return {failure: failure('USAGE', 'bench runs interpreters, so it cannot be combined with --dry-run')};
  }
  const subject = await subjectOf(invocation, context);
  if (!subject.ok) return {failure: subject.failure};
  const report = await benchmark(
    subject.value,
    {
      commands: options.command ?? DEFAULT_COMMANDS,
      runs: options.runs ?? DEFAULT_RUNS,
      instructions: options.instructions ?? false,
      conditions: OTHER_CONDITIONS.filter((each) => options.condition?.includes(each)),
    },
    context,
  );
  if (!report.ok) return {failure: report.failure};
  benchTable(report.value).forEach(product);
  return {python: report.value.python, ratios: ratiosOf(report.value)};
}

/** What was built: with `--python`, of an installed Python. */
async function subjectOf(invocation: Invocation, context: HostContext): Promise<Result<BenchSubject>> {
  const {command, options} = invocation;
  if (options.python === undefined) {
    const buildDir = requireOption(command, 'build-dir', 'DIR', options['build-dir']);
    return buildDir.ok ? sourceSubject(buildDir.value, context) : buildDir;
  }
  const made = relinkOptionsOf(invocation);
  if (!made.ok) return made;
  // An overlay is a directory, what relink makes is a file.
  const isFolder = statSync(made.value.out, {throwIfNoEntry: false})?.isDirectory() ?? false;
  return isFolder ? overlaySubject(made.value, context) : relinkSubject(made.value, context);
}
