import {Recording} from '../../fs/recording.js';
import type {ActionId} from '../../model/action.js';
import type {Event, EventSink} from '../../model/events.js';
import type {CommandEnd, Invocation} from '../command.js';
import type {ProcessContext} from '../process-context.js';
import {COMMANDS, type LastingMessage, runQuestion, writeRunMemo} from './run-memo.js';

/** With these options a run always does something. */
const ALWAYS_AT_WORK = ['force', 'dry-run', 'trace-file', 'report'] as const;
/** Events that only the first of two equal runs emits. Others, such as the failure of a server, say something that the next run has to find out. */
const WORK: readonly Event['type'][] = [
  'action-started',
  'action-finished',
  'cache-lookup',
  'tool-output',
  'phase-started',
  'phase-finished',
];

/** Records a build, so that the next one can see that there is nothing to do. */
export interface Recorder {
  /** Runs the build. */
  readonly record: (run: (events: EventSink) => Promise<CommandEnd>) => Promise<CommandEnd>;
}

/** Undefined for a command line that always has something to do. */
export function createRecorder(
  argv: readonly string[],
  invocation: Invocation,
  events: EventSink,
  processContext: ProcessContext,
): Recorder | undefined {
  const {command, options} = invocation;
  if (!COMMANDS.includes(command)) return undefined;
  if (ALWAYS_AT_WORK.some((name) => options[name] !== undefined)) return undefined;
  const recording = new Recording();
  // The question is part of the dependencies, so it is computed before the run, not after it.
  const asked = runQuestion(argv, processContext);
  const actions: [ActionId, number | null][] = [];
  const messages: LastingMessage[] = [];
  let isRepeatable = true;
  const sink: EventSink = {
    emit(event) {
      if (event.type === 'action-finished') actions.push([event.id, event.bytes ?? null]);
      const isMessage = event.type === 'warning' || event.type === 'notice';
      if (isMessage && event.isLasting === true) messages.push(event);
      else isRepeatable &&= WORK.includes(event.type) || (event.type === 'notice' && event.ofWork === true);
      events.emit(event);
    },
  };
  return {
    async record(run) {
      const end = await recording.run(() => run(sink));
      const [buildDir, ...others] = recording.buildDirs();
      const isComplete = buildDir !== undefined && others.length === 0 && recording.gap() === undefined;
      if (isRepeatable && isComplete && end.failure === undefined) {
        const answer = {
          invocation: {...invocation, options: withoutSecrets(options)},
          buildDir,
          end: withoutCounts(end),
          ...{actions, messages},
        };
        await writeRunMemo(asked, {question: asked.question, answer, paths: recording.paths()});
      }
      return end;
    },
  };
}

/** The options without the passwords that addresses hold: a memo needs them only for the report. */
export function withoutSecrets(options: Invocation['options']): Invocation['options'] {
  const entries = Object.entries(options).map(([name, value]) => {
    const holds = typeof value === 'string' && URL.canParse(value) && /^\w+:\/\/[^/]*@/.test(value);
    return [name, holds ? value.replace(/^(\w+:\/\/)[^/]*@/, '$1') : value];
  });
  return Object.fromEntries(entries) as Invocation['options'];
}

/** The next run executes nothing, so it counts anew. */
function withoutCounts(end: CommandEnd): CommandEnd {
  const known = Object.entries(end).filter(([name]) => name !== 'actions' && name !== 'executed');
  return Object.fromEntries(known);
}
