import {messageOf} from '../model/errno.js';
import type {EventSink} from '../model/events.js';
import {exitCodeOf, failure, type Failure, PENDING_EXIT_CODE, withoutPasswords} from '../model/failure.js';
import {emitRun, type EndedRun} from '../pipeline/run-events.js';
import {reportersFor, type View} from '../report/choose.js';
import type {FileReporter} from '../report/file-report.js';
import {sinkOf, type ProductSink} from '../report/reporter.js';
import {writerTo} from '../report/stream.js';
import {failureText} from '../report/wording.js';
import {COMMANDS} from './commands.js';
import type {CommandEnd, Invocation} from './command.js';
import type {ProcessContext} from './process-context.js';
import type {RecordedRun} from './noop/run-memo.js';
import {eventsOf} from './noop/up-to-date.js';

/**
 * Reports a run, from its first event to the summary; returns the exit code.
 * @param run does the work, tells of it, and says how it ended
 * @param files more files that report the run
 */
export async function report(
  command: string,
  view: View,
  {stdout, stderr, environment}: ProcessContext,
  run: (sink: EventSink & ProductSink) => Promise<CommandEnd>,
  files: readonly FileReporter[] = [],
): Promise<number> {
  const [out, errors] = [writerTo(stdout), writerTo(stderr)];
  const reporters = [...reportersFor(view, out, errors, environment), ...files];
  const events = sinkOf(reporters, Date.now);
  const end = await emitRun(command, events, (counted) => run({...counted, product: events.product}));
  for (const reporter of reporters) reporter.close();
  const broken = out.broken();
  const lost = [
    ...(broken === undefined ? [] : [failure('IO', `cannot write the output: ${messageOf(broken)}`)]),
    ...files.flatMap((file) => file.failure() ?? []),
  ];
  for (const each of lost) errors.line(failureText(each));
  if (end.failure !== undefined) return exitCodeOf(end.failure.code);
  if (lost.length > 0) return exitCodeOf('IO');
  return view.dryRun && hasWork(end) ? PENDING_EXIT_CODE : 0;
}

/** Whether a build would do what a dry run found: anything but finding actions up to date. */
function hasWork({actions: {executed, cached, remote}, pending = false}: EndedRun): boolean {
  return pending || executed + cached + remote > 0;
}

/** Reports a run that has nothing to do, as the last one left everything as it is; returns the exit code. */
export function repeatRun(lastRun: RecordedRun, processContext: ProcessContext): Promise<number> {
  const {invocation, end} = lastRun;
  return report(invocation.command, viewOf(invocation), processContext, (sink) => {
    for (const event of eventsOf(lastRun)) sink.emit(event);
    return Promise.resolve(end);
  });
}

/** Reports an invalid command line as a run of its own; returns the exit code. */
export function reportUsage(
  problem: Failure,
  command: string | undefined,
  json: boolean,
  processContext: ProcessContext,
): Promise<number> {
  const view = {json, quiet: false, verbose: false, dryRun: false, yields: true};
  return report(withoutPasswords(command ?? ''), view, processContext, () =>
    Promise.resolve({failure: problem}),
  );
}

/** What the user wants to see of a run of this command. */
export function viewOf({command, options}: Invocation): View {
  const {json = false, quiet = false, verbose = false, 'dry-run': dryRun = false} = options;
  return {json, quiet, verbose, dryRun, yields: COMMANDS[command]?.yields ?? false};
}
