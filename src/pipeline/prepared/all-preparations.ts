import type {Artifact, Secrecy} from '../../model/action.js';
import {type Result, ok} from '../../model/result.js';
import type {HostContext} from '../build-options.js';
import type {FreezePlan} from '../modules/module-plan.js';
import type {Preparation, PreparationTools} from './preparation.js';
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

/** The C of the tables of all kinds. */
export async function preparedTables(prepared: Prepared): Promise<string> {
  const tables = await Promise.all(PREPARATIONS.map(({name, table}) => table(prepared[name])));
  return tables.join('\n');
}
