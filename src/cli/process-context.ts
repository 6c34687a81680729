import type {TextStream} from '../report/stream.js';

/** What a run gets from its process: streams, environment, working directory. */
export interface ProcessContext {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}
