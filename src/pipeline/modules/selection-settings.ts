import type {ModuleSelection} from '../build-options.js';

/** Which modules a user asks for, under the names of a configuration file. */
export interface SelectionSettings {
  readonly startup?: boolean | undefined;
  readonly trace?: readonly string[] | undefined;
  readonly module?: readonly string[] | undefined;
  readonly package?: readonly string[] | undefined;
  readonly stdlib?: boolean | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly precedence?: string | undefined;
  readonly restCollector?: boolean | undefined;
  readonly expressions?: boolean | undefined;
  readonly snippets?: boolean | undefined;
}

/** Fills in the defaults: the modules of the start-up when no others are asked for. */
export function selectionFrom(settings: SelectionSettings): ModuleSelection {
  const {trace = [], module = [], package: packages = [], stdlib = false, exclude = []} = settings;
  return {
    startup: settings.startup ?? !choosesMore(settings),
    traces: trace,
    modules: module,
    packages,
    stdlib,
    exclude,
    frozenFirst: settings.precedence === 'frozen-first',
    restsCollector: settings.restCollector ?? false,
    preparesExpressions: settings.expressions ?? true,
    preparesSnippets: settings.snippets ?? true,
  };
}

/** Whether modules are asked for beyond those of the start-up. */
export function choosesMore(settings: SelectionSettings): boolean {
  const {trace = [], module = [], package: packages = [], stdlib = false} = settings;
  return stdlib || trace.length + module.length + packages.length > 0;
}
