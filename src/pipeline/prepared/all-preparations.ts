import {readFile} from '../../fs/recorded-fs.js';
import type {Artifact, Secrecy} from '../../model/action.js';
import {type Result, ok} from '../../model/result.js';
import type {HostContext} from '../build-options.js';
import type {FreezePlan} from '../modules/module-plan.js';
import type {Preparation, PreparationTools, PreparingTarget} from './preparation.js';
import {regularExpressions} from './regular-expressions.js';
import {sourceSnippets} from './source-snippets.js';

/** Everything that can be compiled at build time; the index has the tables in this order. */
export const PREPARATIONS: readonly Preparation[] = [regularExpressions, sourceSnippets];

/** What `Preparation.prepare` made, by kind; undefined where there is nothing. */
export type Prepared = Readonly<Record<string, Artifact | undefined>>;

/**
 * Compiles what traced programs compile.
 * @param wanted sources by kind
 * @param secrecy that of their text: programs may have read it anywhere
 * Fails with DISCOVER, PYTHON and IO.
 */
export async function prepareAll(
  wanted: Readonly<Record<string, readonly unknown[]>>,
  plan: FreezePlan,
  tools: PreparationTools,
  context: HostContext,
  secrecy?: Secrecy,
): Promise<Result<Prepared>> {
  const prepared: Record<string, Artifact | undefined> = {};
  for (const {name, prepare} of PREPARATIONS) {
    const artifact = await prepare(wanted[name] ?? [], plan, tools, context, secrecy);
    if (!artifact.ok) return artifact;
    prepared[name] = artifact.value;
  }
  return ok(prepared);
}

/** `prepareAll` for a build system with an engine of its own: the contents of the files, by kind. Fails with DISCOVER and PYTHON. */
export async function compileAll(
  wanted: Readonly<Record<string, readonly unknown[]>>,
  plan: FreezePlan,
  target: PreparingTarget,
  context: Pick<HostContext, 'cwd' | 'userEnvironment'>,
): Promise<Result<Readonly<Record<string, string>>>> {
  const texts: Record<string, string> = {};
  for (const {name, compile} of PREPARATIONS) {
    const text = await compile(wanted[name] ?? [], plan, target, context);
    if (!text.ok) return text;
    if (text.value !== undefined) texts[name] = text.value;
  }
  return ok(texts);
}

/** The C of the tables of all kinds. */
export async function preparedTables(prepared: Prepared): Promise<string> {
  const read = async ({name}: Preparation): Promise<readonly [string, string | undefined]> => {
    const path = prepared[name]?.path;
    return [name, path === undefined ? undefined : await readFile(path, 'utf8')];
  };
  return tablesOf(Object.fromEntries(await Promise.all(PREPARATIONS.map(read))));
}

/** The same of the contents of the files. */
export function tablesOf(texts: Readonly<Record<string, string | undefined>>): string {
  return PREPARATIONS.map(({name, table}) => table(texts[name])).join('\n');
}
