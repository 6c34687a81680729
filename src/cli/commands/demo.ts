import {runDemo} from '../../inspect/demonstration.js';
import {defaultBuildsDir} from '../../pipeline/default-build-dir.js';
import {benchTable, ratiosOf} from '../bench-table.js';
import type {CommandEnd, Session} from '../command.js';

const DEFAULT_PYTHON = '3.13';

/** `npm start`: the demo of the whole program. It builds where builds lie by default, so that every checkout has CPython compiled once. */
export async function run({invocation, context, product}: Session): Promise<CommandEnd> {
  const {python = DEFAULT_PYTHON, dir = defaultBuildsDir(context.cacheDir)} = invocation.options;
  const report = await runDemo({dir, python}, context);
  if (!report.ok) return {failure: report.failure};
  const {outcome, bench} = report.value;
  benchTable(bench).forEach(product);
  return {...outcome, ratios: ratiosOf(bench)};
}
