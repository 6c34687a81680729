/** The words after a suite's name, and what it says. */
import {type Extent, QUANTITIES, type Quantity, loadAverage} from './measuring.js';
import {gateOptions, say} from '../support/gate-options.js';
import type {Row} from './results.js';
import {QUIET} from './quiet.js';
import {type Pair, RATIOED, ratioOf} from './ratios.js';

export {say};

const DEFAULT_ROUNDS = 60;

export interface SuiteOptions extends Extent {
  /** The names after `--on`. */
  readonly on: readonly string[] | undefined;
  /** Further options of the command line for all that is frozen. */
  readonly with: readonly string[];
}

/** Reads `--on 'NAME …'`, `--with '--OPTION …'`, `--measure 'wall no-bytecode cold faults instructions memory'` and `--rounds N`. Throws for anything else. */
export function suiteOptions(words: readonly string[]): SuiteOptions {
  const {values} = gateOptions(words, {values: ['on', 'with', 'measure', 'rounds']});
  const asked = listOf(values['measure']);
  const strange = asked?.find((name) => !QUANTITIES.some((each) => each === name));
  if (strange !== undefined) throw new Error(`--measure ${strange}: there are ${QUANTITIES.join(', ')}`);
  const rounds = Number(values['rounds'] ?? DEFAULT_ROUNDS);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds is a number of one or more');
  const options = {
    on: listOf(values['on']),
    with: listOf(values['with']) ?? [],
    rounds,
    quantities: new Set<Quantity>(QUANTITIES.filter((each) => asked?.includes(each) ?? true)),
  };
  if (options.quantities.has('wall')) sayLoad();
  return options;
}

/** Results with further options are a suite of their own. */
export function suiteWith(suite: string, options: readonly string[]): string {
  return [suite, ...options].join('-').replaceAll('--', '');
}

function listOf(text: string | undefined): string[] | undefined {
  return text?.split(/[\s,]+/).filter((word) => word !== '');
}

function sayLoad(): void {
  const load = loadAverage();
  say(`load average: ${load}`);
  if (load > QUIET) say(`warning: above ${QUIET}: times will tell what else this machine does`);
}

/** One line for each of the pairs. */
export function sayRow(row: Row, pairs: readonly Pair[]): void {
  for (const pair of pairs) {
    const ratios = RATIOED.flatMap((quantity) => {
      const ratio = ratioOf(row, pair, quantity);
      return ratio === undefined ? [] : [`${quantity} ${ratio.toFixed(3)}`];
    });
    if (ratios.length > 0) say(`${row.subject}: ${row.command}: ${pair.join(' / ')}: ${ratios.join(', ')}`);
  }
}
