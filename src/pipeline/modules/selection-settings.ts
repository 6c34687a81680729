import type {ModuleSelection} from '../build-options.js';

/** The selection of modules, with the names of a configuration file. */
export interface SelectionSettings {
  readonly startup?: boolean | undefined;
  readonly trace?: readonly string[] | undefined;
  readonly strictTraces?: boolean | undefined;
  readonly module?: readonly string[] | undefined;
  readonly package?: readonly string[] | undefined;
  readonly stdlib?: boolean | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly precedence?: string | undefined;
  readonly restCollector?: boolean | undefined;
  readonly fastExit?: boolean | undefined;
  readonly expressions?: boolean | undefined;
  readonly snippets?: boolean | undefined;
}

/** Fills in the defaults: the start-up modules if no others are selected. */
export function selectionFrom(settings: SelectionSettings): ModuleSelection {
  const {trace = [], module = [], package: packages = [], stdlib = false, exclude = []} = settings;
  return {
    startup: settings.startup ?? !choosesMore(settings),
    traces: trace,
    strictTraces: settings.strictTraces ?? false,
    modules: module,
    packages,
    stdlib,
    exclude,
    frozenFirst: settings.precedence === 'frozen-first',
    restsCollector: settings.restCollector ?? false,
    exitsFast: settings.fastExit ?? false,
    preparesExpressions: settings.expressions ?? true,
    preparesSnippets: settings.snippets ?? true,
  };
}

/** Whether modules other than those of the start-up are selected. */
export function choosesMore(settings: SelectionSettings): boolean {
  const {trace = [], module = [], package: packages = [], stdlib = false} = settings;
  return stdlib || trace.length + module.length + packages.length > 0;
}
