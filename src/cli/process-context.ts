import type {TextStream} from '../report/stream.js';

/** What a run finds around itself. */
export interface Surroundings {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}
