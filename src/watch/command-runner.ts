import {runProcess} from '../exec/process.js';
import type {Failure} from '../model/failure.js';

export interface CommandOptions {
  /** For the shell. */
  readonly command: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Ends it for good. */
  readonly signal: AbortSignal;
  /** Gets what it prints, whole lines. */
  readonly onOutput: (text: string, stream: 'stdout' | 'stderr') => void;
  /** Called when it ended by itself, with its exit code or the failure. */
  readonly onEnd: (end: {readonly exitCode: number} | {readonly failure: Failure}) => void;
}

/** Its output has been passed on; this much of it is kept. */
const KEPT_BYTES = 4096;

/** A command that runs once at a time, in a process group of its own: the next run ends the one before with all it started. */
export class CommandRunner {
  private current: {readonly controller: AbortController; readonly ended: Promise<void>} | undefined;

  constructor(private readonly options: CommandOptions) {}

  /** Ends the previous run and starts a new one. Resolves when the new one has started. */
  async restart(): Promise<void> {
    await this.stop();
    if (this.options.signal.aborted) return;
    const controller = new AbortController();
    this.current = {controller, ended: this.run(controller.signal)};
  }

  /** Ends the current run. Resolves when its process group is empty. */
  async stop(): Promise<void> {
    const {current} = this;
    this.current = undefined;
    current?.controller.abort();
    await current?.ended;
  }

  private async run(ended: AbortSignal): Promise<void> {
    const {command, cwd, environment, signal, onOutput, onEnd} = this.options;
    const done = await runProcess({
      file: 'sh',
      args: ['-c', command],
      cwd,
      environment,
      signal: AbortSignal.any([ended, signal]),
      onOutput,
      maxOutputBytes: KEPT_BYTES,
    });
    if (done.ok) onEnd({exitCode: done.value.exitCode});
    else if (done.failure.code !== 'INTERRUPTED') onEnd({failure: done.failure});
  }
}
