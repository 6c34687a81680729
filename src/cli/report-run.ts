import type {ActionId} from '../model/action.js';
import {messageOf} from '../model/errno.js';
import type {ActionCounts, EventSink} from '../model/events.js';
import {exitCodeOf, failure, type Failure} from '../model/failure.js';
import {reportersFor, type View} from '../report/choose.js';
import type {FileReporter} from '../report/file-report.js';
import {sinkOf, type ProductSink} from '../report/reporter.js';
import {writerTo} from '../report/stream.js';
import {failureText} from '../report/wording.js';
import {COMMANDS} from './commands.js';
import type {CommandEnd, Invocation} from './command.js';
import type {Surroundings} from './process-context.js';
import {eventsOf, type Memo} from './noop/up-to-date.js';

/**
 * Tells the user of a run, from its first event to the summary; returns the exit code.
 * @param run does the work, tells of it, and says how it ended
 * @param files what the run is told in besides
 */
export async function report(
  command: string,
  view: View,
  {stdout, stderr, environment}: Surroundings,
  run: (sink: EventSink & ProductSink) => Promise<CommandEnd>,
  files: readonly FileReporter[] = [],
): Promise<number> {
  const began = performance.now();
  const [out, errors] = [writerTo(stdout), writerTo(stderr)];
  const reporters = [...reportersFor(view, out, errors, environment), ...files];
  const events = sinkOf(reporters, Date.now);
  const tally = tallyOf(events);
  events.emit({type: 'command-started', command});
  const {failure: problem, ...end} = await run({...tally.sink, product: events.product});
  if (problem !== undefined) events.emit({type: 'error', failure: problem});
  events.emit({
    type: 'summary',
    ok: problem === undefined,
    command,
    python: null,
    modules: 0,
    output: null,
    stage1: null,
    sha256: null,
    wallMs: Math.round(performance.now() - began),
    actions: tally.counts,
    executed: tally.executed,
    ...end,
  });
  for (const reporter of reporters) reporter.close();
  const broken = out.broken();
  const lost = [
    ...(broken === undefined ? [] : [failure('IO', `cannot write the output: ${messageOf(broken)}`)]),
    ...files.flatMap((file) => file.failure() ?? []),
  ];
  for (const each of lost) errors.line(failureText(each));
  if (problem !== undefined) return exitCodeOf(problem.code);
  return lost.length === 0 ? 0 : exitCodeOf('IO');
}

/** Reports a run of which a memo says that there is nothing to do; returns the exit code. */
export function repeatRun(memo: Memo, surroundings: Surroundings): Promise<number> {
  const {invocation, end} = memo;
  return report(invocation.command, viewOf(invocation), surroundings, (sink) => {
    for (const event of eventsOf(memo)) sink.emit(event);
    return Promise.resolve(end);
  });
}

/** Reports a command line that makes no sense, as a run of its own; returns the exit code. */
export function reportUsage(
  problem: Failure,
  command: string | undefined,
  json: boolean,
  surroundings: Surroundings,
): Promise<number> {
  const view = {json, quiet: false, verbose: false, dryRun: false, yields: true};
  return report(command ?? '', view, surroundings, () => Promise.resolve({failure: problem}));
}

/** What the user wants to see of a run of this command. */
export function viewOf({command, options}: Invocation): View {
  const {json = false, quiet = false, verbose = false, 'dry-run': dryRun = false} = options;
  return {json, quiet, verbose, dryRun, yields: COMMANDS[command]?.yields ?? false};
}

/** Counts actions as they pass, for the summary of a run that fails midway. */
function tallyOf(events: EventSink): {
  readonly sink: EventSink;
  readonly counts: ActionCounts;
  readonly executed: readonly ActionId[];
} {
  const counts = {executed: 0, cached: 0, remote: 0, fresh: 0, failed: 0};
  const executed: ActionId[] = [];
  const sink: EventSink = {
    emit(event) {
      if (event.type === 'action-finished') {
        counts[event.outcome] += 1;
        if (event.outcome === 'executed') executed.push(event.id);
      }
      if (event.type === 'action-failed' && event.failure.code !== 'INTERRUPTED') counts.failed += 1;
      events.emit(event);
    },
  };
  return {sink, counts, executed};
}
