/** Two outcomes of one program, compared in everything that can be seen. */
import type {Outcome} from './run-program.js';

export interface Difference {
  /** The part that differs: `stdout`, `end`, … */
  readonly part: string;
  readonly original: string;
  readonly frozen: string;
  /** Alike for differences that probably have one cause. */
  readonly signature: string;
}

/** What either interpreter prints, without what differs from run to run and what docs/guide.md lists as a known difference. */
export function normalise(text: string, names: readonly string[]): string {
  const named = names.reduce((all, name) => all.replaceAll(name, '<python>'), text);
  return (
    named
      .replaceAll(/0x[0-9a-f]{6,}/g, '0x…')
      // The number of a thread.
      .replaceAll(/(started|stopped|daemon) \d{6,}/g, '$1 …')
      // Functions of importlib that are written in C.
      .replaceAll(/<method 'find_spec'( of 'object' objects)?>/g, '<function FileFinder.find_spec at 0x…>')
      .replaceAll(/<method 'get_code'( of 'object' objects)?>/g, '<function SourceLoader.get_code at 0x…>')
      .replaceAll(/<built-in function (_find_and_load|_get_module_lock)>/g, '<function $1 at 0x…>')
      // The text of such a method holds quotes, which change those around it.
      .replaceAll(/^.*<function (FileFinder\.find_spec|SourceLoader\.get_code) at .*$/gm, (line) =>
        line.replaceAll('"', "'"),
      )
      // The compiler's warnings, where the original has no bytecode file and compiles.
      .replaceAll(/^.*(SyntaxWarning: |DeprecationWarning: invalid escape sequence).*\n(?: {2}.*\n)?/gm, '')
      // Frames of importlib, whole.
      .replaceAll(
        /^( *)File "<frozen (?:importlib\.\w+|runpy|zipimport)>", line \d+, in .*\n(?:\1 .*\n)*/gm,
        '',
      )
      // Of a traceback that has no others, what is left: without frames, it has no header either.
      .replaceAll(/^Traceback \(most recent call last\):\n(?=\S)/gm, '')
      .replaceAll(/\\n *File \\?"<frozen importlib\.\w+>\\?", line \d+, in .*?(?=\\n(?: {2}File|\S))/g, '')
      .replaceAll(/\('<frozen importlib\.[^)]*\), ?/g, '')
  );
}

export function compare(
  original: Outcome,
  frozen: Outcome,
  names: readonly string[],
): Difference | undefined {
  for (const part of ['end', 'stdout', 'stderr', 'files'] as const) {
    const [before, after] = [original, frozen].map((outcome) => {
      const value = outcome[part];
      return normalise(typeof value === 'string' ? value : value.join('\n'), names).split('\n');
    });
    if (before === undefined || after === undefined || before.join('\n') === after.join('\n')) continue;
    const at = before.findIndex((line, i) => line !== after[i]);
    const first = at < 0 ? before.length : at;
    return {
      part,
      ...excerpts(before, after, first),
      signature: signatureOf(part, before[first], after[first]),
    };
  }
  return undefined;
}

/** The lines around the first that differs; of long ones, what is around the first characters that differ. */
function excerpts(
  before: readonly string[],
  after: readonly string[],
  at: number,
): {readonly original: string; readonly frozen: string} {
  const same = sameLength(before[at], after[at]);
  const cut = (line: string, isFirst: boolean): string => {
    const begin = isFirst ? Math.max(0, same - 250) : 0;
    return `${begin > 0 ? '…' : ''}${line.slice(begin, begin + 500)}${line.length > begin + 500 ? '…' : ''}`;
  };
  const [original = '', frozen = ''] = [before, after].map((lines) =>
    lines
      .slice(Math.max(0, at - 2), at + 6)
      .map((line, i) => cut(line, i === Math.min(2, at)))
      .join('\n'),
  );
  return {original, frozen};
}

function sameLength(before = '', after = ''): number {
  let same = 0;
  while (same < before.length && before[same] === after[same]) same++;
  return same;
}

/** Without names and numbers: the words around the first place that differs. */
function signatureOf(part: string, before = '(nothing)', after = '(nothing)'): string {
  const same = sameLength(before, after);
  const begin = before.lastIndexOf(' ', same) + 1;
  const words = (line: string): string => line.slice(begin, begin + 50);
  const what = / = /.test(before) ? before.slice(0, before.indexOf(' = ')).split(' ').slice(-1).join() : '';
  return `${part} ${what} | ${words(before)} | ${words(after)}`
    .replaceAll(/t\d{4}|\d+|'[^']*'/g, '#')
    .slice(0, 120);
}
