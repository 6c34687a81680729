import type {FrozenRow, SourceEntry} from '../../codegen/tables/index-table.js';
import type {ModuleRecord} from '../../cpython/interpreter/modules/modules.js';
import type {ModuleSelection} from '../build-options.js';
import type {SourceFile, Toolchain} from '../toolchain.js';

/** One module to freeze. */
export interface ModulePlan {
  readonly module: string;
  /** Absolute path of its source. */
  readonly source: string;
  /** The same path, as in key records. */
  readonly sourceName: string;
  /** The co_filename of its code. */
  readonly filename: string;
  /** CPython freezes it itself: its file name is final, and its marshal bytes are kept in the image. */
  readonly isCPythonFrozen: boolean;
  /**
   * Without it there is no build: CPython needs it to start, or somebody named it. Others come from a trace, a package or the library, and
   * load the ordinary way if they do not compile.
   */
  readonly isRequired: boolean;
}

/** Everything to freeze, and its entries in the index. */
export interface FreezePlan {
  readonly modules: readonly ModulePlan[];
  /** Those that were selected, and do not compile: they have no image. */
  readonly leftOut: readonly ModulePlan[];
  /**
   * Those with images that CPython does not freeze itself and that are imported, not run by `-m`, and extension modules in files, which have none: in the order
   * of imports.
   */
  readonly imports: readonly string[];
  readonly frozenRows: readonly FrozenRow[];
  readonly sources: readonly SourceEntry[];
  readonly roots: readonly ('stdlib' | {readonly path: string})[];
  /** As in `ModuleSelection`. */
  readonly frozenFirst: boolean;
  readonly restsCollector: boolean;
  readonly exitsFast: boolean;
}

/** The inputs of a plan. */
export type PlannedFor = Pick<Toolchain, 'frozenModules' | 'getpath'> & {
  readonly target: Pick<Toolchain['target'], 'stdlib'>;
};

/** The code that computes sys.path at start: compiled into getpath.o, in no table (Modules/getpath.c). */
export const GETPATH = 'getpath';

/** The modules that CPython freezes itself: getpath, and the code of each row of its tables. */
function cpythonFrozen({frozenModules, getpath}: PlannedFor): ModulePlan[] {
  const plan = (module: string, source: SourceFile): ModulePlan => ({
    module,
    source: source.path,
    sourceName: source.name,
    filename: `<frozen ${module}>`,
    isCPythonFrozen: true,
    isRequired: true,
  });
  const byOrigin = new Map(frozenModules.map(({origin, source}) => [origin, plan(origin, source)]));
  return [...(getpath === undefined ? [] : [plan(GETPATH, getpath.source)]), ...byOrigin.values()];
}

/**
 * The location of a module: its directory on sys.path, and its path below that, without suffix. Undefined if
 * the path does not match the name (a package that changed its `__path__`, a module under another name).
 */
function locate({name, origin, isPackage}: ModuleRecord): {root: string; key: string} | undefined {
  const key = name.replaceAll('.', '/');
  const ending = `/${key}${isPackage ? '/__init__' : ''}.py`;
  if (origin?.endsWith(ending) !== true) return undefined;
  return {root: origin.slice(0, -ending.length) || '/', key};
}

/**
 * Plans the freezing of the modules that CPython freezes itself, and of those of `wanted` that are Python source at the path of their
 * name. It keeps the order, so that images are in memory in the order of imports.
 */
export function planFreeze(
  toolchain: PlannedFor,
  wanted: readonly ModuleRecord[],
  {
    frozenFirst,
    restsCollector,
    exitsFast,
    modules: names,
  }: Pick<ModuleSelection, 'frozenFirst' | 'restsCollector' | 'exitsFast' | 'modules'>,
): FreezePlan {
  const {target} = toolchain;
  const named = new Set(names);
  const frozen = cpythonFrozen(toolchain);
  const taken = new Set(frozen.map(({module}) => module));
  const roots: ('stdlib' | {readonly path: string})[] = [];
  const rootIndexes = new Map<string, number>();
  const modules: ModulePlan[] = [];
  const imports: string[] = [];
  const sources: SourceEntry[] = [];
  for (const record of wanted) {
    if (record.kind === 'extension') imports.push(record.name);
    const place = record.kind === 'source' ? locate(record) : undefined;
    if (place === undefined || record.origin === null || taken.has(record.name)) continue;
    taken.add(record.name);
    const filename = `${place.key}${record.isPackage ? '/__init__' : ''}.py`;
    let root = rootIndexes.get(place.root);
    if (root === undefined) {
      root = roots.push(place.root === target.stdlib ? 'stdlib' : {path: place.root}) - 1;
      rootIndexes.set(place.root, root);
    }
    if (record.isRun !== true || named.has(record.name)) imports.push(record.name);
    modules.push({
      module: record.name,
      source: record.origin,
      sourceName: `${place.root === target.stdlib ? 'Lib' : 'path'}/${filename}`,
      filename,
      isCPythonFrozen: false,
      isRequired: named.has(record.name),
    });
    sources.push({module: record.name, isPackage: record.isPackage, root, key: place.key});
  }
  return {
    modules: [...frozen, ...modules],
    leftOut: [],
    imports,
    frozenRows: toolchain.frozenModules.map(({name, origin}) => ({name, module: origin})),
    sources,
    roots,
    frozenFirst,
    restsCollector,
    exitsFast,
  };
}

/** The plan when some modules turn out not to compile. */
export function leaveOut(plan: FreezePlan, names: ReadonlySet<string>): FreezePlan {
  const isKept = ({module}: {readonly module: string}): boolean => !names.has(module);
  return {
    ...plan,
    modules: plan.modules.filter(isKept),
    leftOut: plan.modules.filter((module) => !isKept(module)),
    imports: plan.imports.filter((module) => isKept({module})),
    sources: plan.sources.filter(isKept),
  };
}
