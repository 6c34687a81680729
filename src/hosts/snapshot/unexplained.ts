import {runProcess} from '../../exec/process.js';
import {type Failure, failure} from '../../model/failure.js';
import {type Result, ok} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import type {UnexplainedWord} from './compare-dumps.js';

/** How many words a failure lists. */
const LISTED = 10;

/** Variables that differ in each process, and that a start may take from another one, with the reason. */
const EXPLAINED: Readonly<Record<string, string>> = {
  _mi_heap_main:
    'random numbers of mimalloc, which serves nothing without PYTHONMALLOC (Objects/mimalloc/init.c)',
  mi_clock_diff:
    'the milliseconds that mimalloc has found a reading of the clock to take, for its statistics: 0, or by chance 1 (Objects/mimalloc/stats.c)',
  mi_process_start: 'the time at which mimalloc began (Objects/mimalloc/stats.c)',
};

/** Variables with a word that holds when they were filled: a start has the time of the build there. */
const TIMED: Readonly<Record<string, string>> = {
  _nc_globals:
    'the directories of terminfo are looked for again a second later (ncurses, tinfo/db_iterator.c)',
};

/** Whether a word has two times of one build, in seconds. */
function isTime({values: [a, b]}: UnexplainedWord): boolean {
  const [from, to] = a < b ? [a, b] : [b, a];
  return from > 1_000_000_000n && to < 1n << 40n && to - from < 3600n;
}

/** A variable of the executable. */
export interface Symbol {
  readonly name: string;
  readonly address: number;
  readonly size: number;
}

/** The variables in the output of `nm -S`, in the order of their addresses. */
export function parseSymbols(text: string): readonly Symbol[] {
  return text
    .split('\n')
    .flatMap((line) => {
      const match = /^([0-9a-f]+) ([0-9a-f]+) [bBdDrRVuW] (\S+)$/.exec(line);
      if (match === null) return [];
      const [, address = '', size = '', name = ''] = match;
      return [{name, address: parseInt(address, 16), size: parseInt(size, 16)}];
    })
    .sort((a, b) => a.address - b.address);
}

/** The variable that holds a word of data. */
function holderOf({part, address}: UnexplainedWord, symbols: readonly Symbol[]): Symbol | undefined {
  if (part !== 'data') return undefined;
  return symbols.findLast((each) => each.address <= address && address < each.address + each.size);
}

/** The words that do not lie in variables whose differences are known. */
export function withoutExplained(
  words: readonly UnexplainedWord[],
  symbols: readonly Symbol[],
): readonly UnexplainedWord[] {
  return words.filter((word) => {
    const name = holderOf(word, symbols)?.name ?? '';
    return !Object.hasOwn(EXPLAINED, name) && !(Object.hasOwn(TIMED, name) && isTime(word));
  });
}

/** What holds a word, and its values. */
export function describeWord(word: UnexplainedWord, symbols: readonly Symbol[]): string {
  const shown = word.values.map((value) => `0x${value.toString(16)}`).join(' and ');
  const holder = holderOf(word, symbols);
  if (holder === undefined) return `${word.part} at 0x${word.address.toString(16)}: ${shown}`;
  const offset = word.address - holder.address;
  return `${holder.name}${offset === 0 ? '' : `+${offset}`}: ${shown}`;
}

/** The variables of an executable. Fails with NO_TOOL without `nm`, and with PROCESS. */
export async function symbolsOf(
  {
    executable,
    environment,
  }: {readonly executable: string; readonly environment: Readonly<Record<string, string>>},
  {context: {signal}}: Pick<Site, 'context'>,
): Promise<Result<readonly Symbol[]>> {
  const args = ['-S', executable];
  const listed = await runProcess({file: 'nm', args, cwd: '/', environment, signal, maxOutputBytes: 1 << 28});
  return listed.ok ? ok(parseSymbols(listed.value.stdout)) : listed;
}

/** The failure of a proof: words that differ in two dumps, by the names of what holds them. */
export function unexplainedFailure(words: readonly UnexplainedWord[], symbols: readonly Symbol[]): Failure {
  const lines = words.slice(0, LISTED).map((word) => describeWord(word, symbols));
  const more = words.length - lines.length;
  const message = `the same imports left ${words.length} ${words.length === 1 ? 'word' : 'words'} of memory different in two runs`;
  return failure('SNAPSHOT', message, {
    details: [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
    hint: 'a module reads a clock, random numbers or a process number when it is imported; leave it out with --exclude',
  });
}
