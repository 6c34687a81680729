import {benchmark} from '../../hosts/bench.js';
import {benchTable, ratiosOf} from '../bench-table.js';
import type {CommandEnd, Session} from '../command.js';
import {need} from '../host-options.js';

const DEFAULT_COMMANDS = ['-c pass'];
const DEFAULT_RUNS = 40;

/** `flashfreeze bench`: both interpreters of a build, the same commands. */
export async function run({invocation, context, product}: Session): Promise<CommandEnd> {
  const {command, options} = invocation;
  const buildDir = need(command, 'build-dir', 'DIR', options['build-dir']);
  if (!buildDir.ok) return {failure: buildDir.failure};
  const report = await benchmark(
    {
      buildDir: buildDir.value,
      commands: options.command ?? DEFAULT_COMMANDS,
      runs: options.runs ?? DEFAULT_RUNS,
      instructions: options.instructions ?? false,
    },
    context,
  );
  if (!report.ok) return {failure: report.failure};
  benchTable(report.value).forEach(product);
  return {python: report.value.python, ratios: ratiosOf(report.value)};
}
