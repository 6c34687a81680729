import type {CompileProblem} from '../../cpython/interpreter/worker.js';
import type {EventInput} from '../../model/events.js';

/** A module without an image, although it was selected, and why. */
export interface LeftOut {
  readonly module: string;
  readonly source: string;
  readonly problem: CompileProblem;
}

/** How many modules a warning names. */
const NAMED = 8;
const LONGEST_REASON = 200;

/** The one warning about all modules that are left out of a build; undefined if there are none. */
export function leftOutWarning(modules: readonly LeftOut[]): EventInput | undefined {
  const [only] = modules;
  if (only === undefined) return undefined;
  const named = modules.slice(0, NAMED);
  const more = modules.length - named.length;
  if (modules.length === 1) {
    return {
      type: 'warning',
      message: `1 module does not compile, and stays on its ordinary import: ${describe(only)}`,
      hint: `--exclude ${quoteGlob(only.module)} leaves a module out without a warning`,
      isLasting: true,
    };
  }
  // A line for each, whatever is in its name.
  const lines = named.map((each) => describe(each).replaceAll('\n', String.raw`\n`));
  return {
    type: 'warning',
    message: `${modules.length} modules do not compile, and stay on their ordinary imports:`,
    details: [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
    hint: '--exclude NAME leaves a module out without a warning',
    isLasting: true,
  };
}

/** The module, the place of the error, and the last line of what Python prints. */
function describe({module, source, problem}: LeftOut): string {
  const lines = problem.text.split('\n').filter((line) => line.trim() !== '');
  const line = /^ {2}File ".*", line (\d+)$/.exec(lines[0] ?? '')?.[1];
  const last = lines.at(-1)?.trim() ?? '';
  const reason = problem.type === 'crash' ? (lines[0] ?? '') : last === '' ? problem.type : last;
  const short = reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
  return `${module} (${source}${line === undefined ? '' : `:${line}`}): ${short}`;
}

function quoteGlob(module: string): string {
  return /^[\w.-]+$/.test(module) ? module : `'${module.replaceAll("'", String.raw`'\''`)}'`;
}
