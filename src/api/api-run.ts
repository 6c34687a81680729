import type {Event, EventSink} from '../model/events.js';
import {failure} from '../model/failure.js';
import {type Err, err, type Result} from '../model/result.js';
import type {HostContext} from '../pipeline/build-options.js';
import {openContext, type RunSettings} from '../pipeline/open-context.js';
import {emitRun, type RunEnd} from '../pipeline/run-events.js';
import type {CallOptions} from './api-options.js';
import {checkBundle} from './check-bundle.js';

/** The result of a run, and the fields of its summary. */
export interface Performed<T> {
  readonly result: T;
  readonly end: RunEnd;
}

/**
 * Runs `perform` as one run: from `command-started` to `summary`. Rejects only with what the caller's `onEvent` throws,
 * when the run has ended.
 */
export async function runCall<T extends Result<unknown>>(
  command: string,
  options: CallOptions & RunSettings,
  perform: (context: HostContext) => Promise<Performed<T>>,
): Promise<T | Err> {
  const abortion = new AbortController();
  const abort = (): void => {
    abortion.abort();
  };
  const isAborted = (): boolean => abortion.signal.aborted;
  const {signal, onEvent} = options;
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort);
  const listener = onEvent && guard(onEvent, abort);
  let result: T | undefined;
  try {
    const end = await emitRun(command, sinkTo(listener?.call), async (events) => {
      if (isAborted()) return interrupted(command);
      const usable = await checkBundle();
      if (!usable.ok) return {failure: usable.failure};
      const opened = await openContext(options, events, abortion.signal);
      if (!opened.ok) return {failure: opened.failure};
      try {
        const performed = await perform(opened.value.context);
        if (!performed.result.ok && isAborted()) return interrupted(command);
        result = performed.result;
        return performed.end;
      } finally {
        opened.value.close();
      }
    });
    const thrown = listener?.thrown();
    if (thrown !== undefined) throw thrown.error;
    if (result !== undefined) return result;
    return err(end.failure ?? failure('BUG', `internal error in ${command}: it ended without a result`));
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function interrupted(command: string): RunEnd {
  return {failure: failure('INTERRUPTED', `${command} was aborted`)};
}

function sinkTo(listener: ((event: Event) => void) | undefined): EventSink {
  return {
    emit(event) {
      listener?.({...event, time: Date.now()});
    },
  };
}

/** Calls a caller's function until it throws: what it throws must not surface in the middle of a build. */
function guard(
  onEvent: (event: Event) => void,
  onThrow: () => void,
): {readonly call: (event: Event) => void; readonly thrown: () => {readonly error: unknown} | undefined} {
  let thrown: {readonly error: unknown} | undefined;
  return {
    call(event) {
      if (thrown !== undefined) return;
      try {
        onEvent(event);
      } catch (error) {
        thrown = {error};
        onThrow();
      }
    },
    thrown: () => thrown,
  };
}
