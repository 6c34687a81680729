import type {ProcessSpec} from '../../exec/process.js';

type Command = Pick<ProcessSpec, 'file' | 'args' | 'environment'>;

/** Where the processes run whose memory is kept. */
export interface DumpPlace {
  /** The command that runs this one there. */
  readonly command: (inside: Command) => Command;
  /** The path that a file of the build has for them. */
  readonly inside: (path: string) => string;
}

/** On this machine, as any other process. */
export const HERE: DumpPlace = {command: (inside) => inside, inside: (path) => path};
