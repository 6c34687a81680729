import type {ProcessSpec} from '../../exec/process.js';

type Command = Pick<ProcessSpec, 'file' | 'args' | 'environment'>;

/** Where the processes run whose memory is kept. */
export interface DumpPlace {
  /** The command that runs this one there. */
  readonly command: (inside: Command) => Command;
  /** The path by which they see a file of ours. */
  readonly inside: (path: string) => string;
}

/** On this machine, as any other process. */
export const HERE: DumpPlace = {command: (inside) => inside, inside: (path) => path};
