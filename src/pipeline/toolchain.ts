import type {AddressModel} from '../codegen/address-model.js';
import type {Layout} from '../codegen/layout.js';
import type {CompilerIdentity} from '../cpython/build/compiler.js';
import type {Interpreter} from '../cpython/interpreter/run-script.js';
import type {Target} from '../cpython/interpreter/target.js';
import type {ToolIdentity} from '../model/action.js';

/**
 * All that discovering, compiling and generating for one Python needs to know of it. Each host comes to it in a way of
 * its own; from there on they go the same way (pipeline.ts).
 */
export interface Toolchain {
  readonly target: Target;
  /** Runs programs and compiles modules. */
  readonly interpreter: Interpreter;
  /** What decides the code objects that this interpreter makes. */
  readonly identity: ToolIdentity;
  /** What decides which modules a program imports. */
  readonly behaviour: ToolIdentity;
  readonly layout: Layout;
  readonly addressModel: AddressModel;
  readonly cc: CToolchain;
  /** `pycore_global_strings.h`; undefined where the interpreter has no static strings (3.10). */
  readonly globalStringsHeader: string | undefined;
  /** What CPython freezes itself and is to get images, in the order of its tables. */
  readonly frozenModules: readonly FrozenModule[];
  /** The code that computes sys.path at start (Modules/getpath.c); undefined when its source is not there. */
  readonly getpath: Getpath | undefined;
}

/** How CPython's own C is compiled. */
export interface CToolchain {
  /** The compiler with its flags, as in CC. */
  readonly command: string;
  /** Further flags that shape objects: no directories of headers, nothing that depends on where code is placed. */
  readonly flags: readonly string[];
  /** Directories of headers, in order, with the names that key records have for them. */
  readonly includes: readonly {readonly path: string; readonly label: string}[];
  readonly compiler: CompilerIdentity;
  /** The content of those headers. */
  readonly headers: ToolIdentity;
}

/** A row of CPython's tables of frozen modules, and where the source of its code lies. */
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
  /** How key records call it. */
  readonly name: string;
}
