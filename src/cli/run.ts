import {availableParallelism} from 'node:os';
import {openSlots} from '../exec/job-slots.js';
import {abortOnSignals} from '../exec/signals.js';
import type {HostContext} from '../hosts/options.js';
import type {ActionId} from '../model/action.js';
import {messageOf} from '../model/errno.js';
import type {ActionCounts, EventSink} from '../model/events.js';
import {exitCodeOf, failure, type Failure} from '../model/failure.js';
import {reportersFor, type View} from '../report/choose.js';
import type {FileReporter} from '../report/file-report.js';
import {sinkOf, type ProductSink} from '../report/reporter.js';
import {writerTo} from '../report/stream.js';
import {failureText} from '../report/words.js';
import {COMMANDS} from './commands.js';
import type {CommandEnd, Invocation} from './command.js';
import {loadConfig, mergeOptions} from './config.js';
import {limitsFrom, remoteFrom} from './cache-options.js';
import {defaultCacheDir, type Surroundings} from './surroundings.js';
import {eventsOf, type Memo, recordRun} from './up-to-date.js';

/**
 * Runs a command and reports it; returns the exit code. Never throws.
 * @param argv the command line, if this process is for it alone: then a run with nothing to do leaves a memo
 */
export async function runInvocation(
  called: Invocation,
  surroundings: Surroundings,
  argv?: readonly string[],
): Promise<number> {
  const files = await fileReportersOf(called);
  return report(called.command, viewOf(called), surroundings, files, async (sink) => {
    const interruption = abortOnSignals();
    const recorder = argv === undefined ? undefined : recordRun(argv, called, sink, surroundings);
    const observed = {...sink, ...recorder?.sink};
    try {
      const end = await perform(called, observed, interruption.signal, surroundings, recorder?.onBuildFolder);
      await recorder?.conclude(end);
      const signal = interruption.received();
      if (end.failure === undefined || signal === undefined) return end;
      return {...end, failure: failure('INTERRUPTED', `${called.command} was stopped by ${signal}`)};
    } finally {
      interruption.dispose();
    }
  });
}

/** Reports a run of which a memo says that there is nothing to do; returns the exit code. */
export function repeatRun(memo: Memo, surroundings: Surroundings): Promise<number> {
  const {invocation, end} = memo;
  return report(invocation.command, viewOf(invocation), surroundings, [], (sink) => {
    for (const event of eventsOf(memo)) sink.emit(event);
    return Promise.resolve(end);
  });
}

function viewOf({command, options}: Invocation): View {
  const {json = false, quiet = false, verbose = false, 'dry-run': dryRun = false} = options;
  return {json, quiet, verbose, dryRun, yields: COMMANDS[command]?.yields ?? false};
}

/** Reports a command line that makes no sense, as a run of its own; returns the exit code. */
export function reportUsage(
  problem: Failure,
  command: string | undefined,
  json: boolean,
  surroundings: Surroundings,
): Promise<number> {
  const view = {json, quiet: false, verbose: false, dryRun: false, yields: true};
  return report(command ?? '', view, surroundings, [], () => Promise.resolve({failure: problem}));
}

async function perform(
  called: Invocation,
  sink: EventSink & ProductSink,
  signal: AbortSignal,
  surroundings: Surroundings,
  onBuildFolder?: (buildDir: string) => void,
): Promise<CommandEnd> {
  const {environment, cwd} = surroundings;
  const spec = COMMANDS[called.command];
  const fromFile = await loadConfig(called.options.config, cwd);
  if (!fromFile.ok) return {failure: fromFile.failure};
  const options = mergeOptions(fromFile.value, called.options, spec?.options ?? []);
  const remote = await remoteFrom(options, environment, sink, signal);
  if (!remote.ok) return {failure: remote.failure};
  const {slots, isCutOff} = openSlots(options.jobs, availableParallelism(), environment['MAKEFLAGS']);
  if (isCutOff && spec?.options.includes('jobs') === true) {
    const message = "make's jobserver cannot be reached, so one thing is done at a time";
    sink.emit({type: 'warning', message, hint: 'begin the line of the recipe with +, or give --jobs'});
  }
  const context: HostContext = {
    events: sink,
    signal,
    userEnvironment: environment,
    cacheDir: options['cache-dir'] ?? defaultCacheDir(surroundings),
    cacheLimits: limitsFrom(options),
    remote: remote.value,
    jobs: slots,
    force: options.force ?? false,
    dryRun: options['dry-run'] ?? false,
    ...(onBuildFolder && {onBuildFolder}),
  };
  try {
    const module = await spec?.load();
    const invocation = {...called, options};
    return (await module?.run({invocation, context, cwd, product: sink.product})) ?? {};
  } catch (error) {
    // Whatever can fail returns a failure, so this is a bug; the run still ends the way that runs end.
    const details = error instanceof Error ? error.stack : undefined;
    const message = `${called.command} broke off by an error inside flashfreeze: ${messageOf(error)}`;
    return {failure: failure('BUG', message, {details})};
  } finally {
    slots.close();
  }
}

async function report(
  command: string,
  view: View,
  {stdout, stderr, environment}: Surroundings,
  files: readonly FileReporter[],
  run: (sink: EventSink & ProductSink) => Promise<CommandEnd>,
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
    ...(broken === undefined ? [] : [failure('IO', `the output could not be written: ${messageOf(broken)}`)]),
    ...files.flatMap((file) => file.failure() ?? []),
  ];
  for (const each of lost) errors.line(failureText(each));
  if (problem !== undefined) return exitCodeOf(problem.code);
  return lost.length === 0 ? 0 : exitCodeOf('IO');
}

/** The files that a run is told in. Their code is read only when somebody wants them. */
async function fileReportersOf({options}: Invocation): Promise<FileReporter[]> {
  const {'trace-file': trace, report: page} = options;
  if (trace === undefined && page === undefined) return [];
  const {fileReporter} = await import('../report/file-report.js');
  const reporters: FileReporter[] = [];
  if (trace !== undefined) {
    const {traceOf} = await import('../report/trace.js');
    reporters.push(fileReporter(trace, 'the trace', traceOf));
  }
  if (page !== undefined) {
    const {htmlOf} = await import('../report/html.js');
    reporters.push(fileReporter(page, 'the report', htmlOf));
  }
  return reporters;
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
