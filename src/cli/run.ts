import {abortOnSignals} from '../exec/signals.js';
import {openContext} from '../pipeline/open-context.js';
import type {EventSink} from '../model/events.js';
import {failure} from '../model/failure.js';
import type {FileReporter} from '../report/file-report.js';
import type {ProductSink} from '../report/reporter.js';
import {COMMANDS} from './commands.js';
import type {CommandEnd, Invocation} from './command.js';
import {type ConfigNotes, loadConfig, mergeOptions, withoutPrograms} from './args/config.js';
import {runSettingsOf} from './args/run-settings.js';
import {createRecorder} from './noop/recorder.js';
import {report, viewOf} from './report-run.js';
import type {ProcessContext} from './process-context.js';

/**
 * Runs a command and reports it; returns the exit code. Never throws.
 * @param argv the command line, if this process is for it alone: then the next such run can see that there is nothing to do
 */
export async function runInvocation(
  called: Invocation,
  processContext: ProcessContext,
  argv?: readonly string[],
): Promise<number> {
  const files = await fileReportersOf(called);
  const run = async (sink: EventSink & ProductSink): Promise<CommandEnd> => {
    const interruption = abortOnSignals();
    const recorder = argv && createRecorder(argv, called, sink, processContext);
    const runCommand = (events: EventSink): Promise<CommandEnd> =>
      perform(called, {...sink, ...events}, interruption.signal, processContext, {
        // Not news that a run without work would have to repeat.
        notice(message) {
          sink.emit({type: 'notice', message});
        },
        warn(message, hint) {
          events.emit({type: 'warning', message, hint});
        },
      });
    try {
      const end = await (recorder?.record(runCommand) ?? runCommand(sink));
      const signal = interruption.received();
      if (end.failure === undefined || signal === undefined) return end;
      return {...end, failure: failure('INTERRUPTED', `${called.command} was interrupted by ${signal}`)};
    } finally {
      interruption.dispose();
    }
  };
  return report(called.command, viewOf(called), processContext, run, files);
}

async function perform(
  called: Invocation,
  sink: EventSink & ProductSink,
  signal: AbortSignal,
  processContext: ProcessContext,
  notes: ConfigNotes,
): Promise<CommandEnd> {
  const {cwd} = processContext;
  const spec = COMMANDS[called.command];
  const {config, 'dry-run': dryRun} = called.options;
  const fromFile = await loadConfig(config, cwd, notes);
  if (!fromFile.ok) return {failure: fromFile.failure};
  const usable =
    dryRun === true && config === undefined ? withoutPrograms(fromFile.value, notes) : fromFile.value;
  const options = mergeOptions(usable, called.options, spec?.options ?? []);
  const opened = await openContext(runSettingsOf(options, processContext), sink, signal);
  if (!opened.ok) return {failure: opened.failure};
  const {context, close} = opened.value;
  try {
    const module = await spec?.load();
    const invocation = {...called, options};
    return (await module?.run({invocation, context, cwd, product: sink.product, commands: COMMANDS})) ?? {};
  } finally {
    close();
  }
}

/** The reporters that write files. Their code is imported only when needed. */
async function fileReportersOf({options}: Invocation): Promise<FileReporter[]> {
  const {'trace-file': trace, report: page} = options;
  if (trace === undefined && page === undefined) return [];
  const {fileReporter} = await import('../report/file-report.js');
  const reporters: FileReporter[] = [];
  if (trace !== undefined) {
    const {traceOf} = await import('../report/trace-events.js');
    reporters.push(fileReporter(trace, 'the trace', traceOf));
  }
  if (page !== undefined) {
    const {htmlOf} = await import('../report/html/html.js');
    reporters.push(fileReporter(page, 'the report', htmlOf));
  }
  return reporters;
}
