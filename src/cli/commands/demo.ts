import {resolve} from 'node:path';
import {runDemo} from '../../inspect/demonstration.js';
import {benchTable, ratiosOf} from '../bench-table.js';
import type {CommandEnd, Session} from '../command.js';

const DEFAULT_PYTHON = '3.13';
const DEFAULT_DIR = '.flashfreeze';

/** `npm start`: the demo of the whole program. */
export async function run({invocation, context, cwd, product}: Session): Promise<CommandEnd> {
  const {python = DEFAULT_PYTHON, dir = resolve(cwd, DEFAULT_DIR)} = invocation.options;
  const report = await runDemo({dir, python}, context);
  if (!report.ok) return {failure: report.failure};
  const {outcome, bench} = report.value;
  benchTable(bench).forEach(product);
  return {...outcome, ratios: ratiosOf(bench)};
}
