import {join} from 'node:path';
import {existsSync} from '../../fs/recorded-fs.js';
import type {AddressModel} from '../../codegen/address-model.js';
import type {Layout} from '../../codegen/layout.js';
import {objectFlags} from '../../cpython/build/compile-flags.js';
import type {CompilerIdentity} from '../../cpython/build/compiler.js';
import {headerFolders} from '../../cpython/build/headers.js';
import type {Interpreter} from '../../cpython/interpreter/run-script.js';
import type {Target} from '../../cpython/interpreter/target.js';
import type {Artifact, ToolIdentity} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {canonicalJson} from '../../model/canonical-json.js';
import type {FrozenModule, Toolchain} from '../../pipeline/toolchain.js';

/** A CPython in its build directory. */
export interface BuiltPython {
  /** The source tree. Absolute, as is `folder`. */
  readonly source: string;
  /** The directory that make ran in; the source tree itself for an in-tree build. */
  readonly folder: string;
  readonly target: Target;
  readonly interpreter: Interpreter;
  /** What it was built from (stage1-inputs.ts), and its `pyconfig.h`. */
  readonly inputs: readonly Artifact[];
  readonly layout: Layout;
  readonly addressModel: AddressModel;
  /** CC and PY_CORE_CFLAGS of its Makefile, expanded. */
  readonly variables: {readonly CC: string; readonly PY_CORE_CFLAGS: string};
  readonly compiler: CompilerIdentity;
}

/** The toolchain of a build directory: headers and the sources of frozen modules lie in the source tree. */
export function toolchainOfBuild(built: BuiltPython): Toolchain {
  const {source, folder, target, variables} = built;
  const shaping = built.inputs.filter(({name}) => SHAPING.test(name) && !GENERATED.test(name));
  const inTree = (path: string): string => join(source, path);
  const getpath = {
    source: {path: inTree('Modules/getpath.py'), name: 'source/Modules/getpath.py'},
    header: join(folder, 'Python/frozen_modules/getpath.h'),
  };
  const frozenModules = target.frozen.map(({name, origin, source: {root, path}}): FrozenModule => {
    const [below, label] = root === 'stdlib' ? [target.stdlib, 'Lib'] : [source, 'source'];
    return {name, origin, source: {path: join(below, path), name: `${label}/${path}`}};
  });
  const globalStrings = inTree('Include/internal/pycore_global_strings.h');
  return {
    target,
    interpreter: built.interpreter,
    identity: identityOf(target, shaping),
    behaviour: identityOf(target, built.inputs),
    layout: built.layout,
    addressModel: built.addressModel,
    cc: {
      command: variables.CC,
      flags: objectFlags(variables.PY_CORE_CFLAGS),
      includes: [...headerFolders(inTree('Include'), '$SOURCE/Include'), {path: folder, label: '$BUILD'}],
      compiler: built.compiler,
      headers: headersOf(shaping),
    },
    globalStringsHeader: existsSync(globalStrings) ? globalStrings : undefined,
    frozenModules,
    getpath: existsSync(getpath.source.path) ? getpath : undefined,
  };
}

/** What shapes code objects and their layout: the compiler and the headers. */
const SHAPING = /^((Include|Objects|Parser|Python)\/|pyconfig\.h$)/;
/** Made by make, in the source tree of an in-tree build. */
const GENERATED = /^(Python\/(frozen_modules|deepfreeze)\/|Include\/pydtrace_probes\.h$)/;

/**
 * By sources, because the file differs after each link: it contains the time of day (Modules/getbuildinfo.c), unless
 * SOURCE_DATE_EPOCH is set.
 */
function identityOf(
  {version, magic, abiflags, builtinModules}: Target,
  inputs: readonly Artifact[],
): ToolIdentity {
  const record = [version.text, magic, abiflags, builtinModules, listing(inputs)];
  return {name: 'stage-1 python', digest: digestOf(canonicalJson(record))};
}

function headersOf(inputs: readonly Artifact[]): ToolIdentity {
  const headers = inputs.filter(({name}) => name.endsWith('.h'));
  return {name: 'CPython headers', digest: digestOf(listing(headers).join('\n'))};
}

function listing(artifacts: readonly Artifact[]): string[] {
  return artifacts.map(({name, digest}) => `${digest} ${name}`);
}
