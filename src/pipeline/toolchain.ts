import type {AddressModel} from '../codegen/address-model.js';
import type {Layout} from '../codegen/layout.js';
import type {CompilerIdentity} from '../cpython/build/compiler.js';
import type {Interpreter} from '../cpython/interpreter/run-script.js';
import type {Target} from '../cpython/interpreter/target.js';
import type {ToolIdentity} from '../model/action.js';

/**
 * Everything that discovery, compilation and generation need to know about a Python. Each host makes it in its
 * own way; the rest is the same for all (pipeline.ts).
 */
export interface Toolchain {
  readonly target: Target;
  /** Runs programs and compiles modules. */
  readonly interpreter: Interpreter;
  /** The identity of the interpreter, which decides the code objects that it makes. */
  readonly identity: ToolIdentity;
  /** The identity that decides which modules a program imports. */
  readonly behaviour: ToolIdentity;
  readonly layout: Layout;
  readonly addressModel: AddressModel;
  readonly cc: CToolchain;
  /** `pycore_global_strings.h`; undefined where the interpreter has no static strings (3.10). */
  readonly globalStringsHeader: string | undefined;
  /** The modules that CPython freezes itself and that get images, in the order of its tables. */
  readonly frozenModules: readonly FrozenModule[];
  /** The code that computes sys.path at start (Modules/getpath.c); undefined when its source is not there. */
  readonly getpath: Getpath | undefined;
  /** The path by which the new interpreter has to start; by default its own. */
  readonly programName?: string | undefined;
}

/** How CPython's own C is compiled. */
export interface CToolchain {
  /** The compiler with its flags, as in CC. */
  readonly command: string;
  /** Further flags that shape objects: no directories of headers, and no flags that depend on the placement of code. */
  readonly flags: readonly string[];
  /** Directories of headers, in order, with the names that key records have for them. */
  readonly includes: readonly {readonly path: string; readonly label: string}[];
  readonly compiler: CompilerIdentity;
  /** The content of those headers. */
  readonly headers: ToolIdentity;
}

/** A row of CPython's tables of frozen modules, and the source of its code. */
export interface FrozenModule {
  /** What is imported. */
  readonly name: string;
  /** The module whose code it is; several rows may share one. */
  readonly origin: string;
  readonly source: SourceFile;
}

export interface Getpath {
  readonly source: SourceFile;
  /** The bytes that are compiled into the interpreter: a generated header of CPython's build. */
  readonly header: string;
}

export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** Its name in key records. */
  readonly name: string;
}
