import type {Run} from '../../support/rig.js';

export type Side = 'unmodified' | 'frozen';

export interface RunPython {
  readonly environment?: Readonly<Record<string, string>>;
  /** A directory of this machine, `/` if not given. */
  readonly cwd?: string;
  readonly input?: string;
  /** A program, with arguments, that runs the interpreter: a debugger, `nice`. */
  readonly under?: readonly string[];
  /** Directories besides `cwd` that the interpreter may see, and write to. */
  readonly folders?: readonly string[];
  /** Gets what is printed, piece by piece, where that can be had. */
  readonly onOutput?: (text: string) => void;
}

export type Python = (args: readonly string[], options?: RunPython) => Promise<Run>;

export interface Subject {
  /** Such as `source-3.13.15`, `relink-3.11`, `graft-3.15`, `overlay-3.14`. */
  readonly name: string;
  readonly host: 'source' | 'snapshot' | 'relink' | 'graft' | 'overlay';
  /** Such as `3.13`. */
  readonly series: string;
  /** Either interpreter, in an environment without a variable of the user's. */
  readonly python: Readonly<Record<Side, Python>>;
  /** The frozen interpreter's file, for `flashfreeze verify`. */
  readonly frozen: string;
  /** Runs the command line of this package where the interpreters run. */
  readonly flashfreeze: (args: readonly string[]) => Promise<Run>;
  /** Runs another program there. */
  readonly tool: (argv: readonly string[], options?: RunPython) => Promise<Run>;
  /** CPython's source tree, where there is one. */
  readonly source?: string;
  /** The build directory, with the C of the images. */
  readonly buildDir: string;
  /** An interpreter as CPython's own tests need it: they write into the library, and start programs beside it. */
  readonly forTests: (side: Side, folder: string) => Python;
}
