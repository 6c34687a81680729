import {fail, ok, type Result} from '../../model/result.js';

/** The program that an interpreter runs. */
export type Program =
  | {readonly kind: 'code'; readonly text: string}
  | {readonly kind: 'module'; readonly name: string}
  | {readonly kind: 'script'; readonly path: string};

export interface PythonCommand {
  /** Options of the interpreter itself, such as `-X`, `dev`. */
  readonly options: readonly string[];
  readonly program: Program;
  readonly arguments: readonly string[];
}

/** Options that take no value, of those that SHORT_OPTS in Python/getopt.c lists. */
const FLAGS = 'bBdEiIOPqRsStuv';

/**
 * Reads what follows the interpreter on a command line, as Python/getopt.c does: options may be joined (`-Im`), and a
 * value may follow its letter at once (`-Xdev`). Fails with USAGE for options that run no program.
 */
export function parsePythonCommand(argv: readonly string[]): Result<PythonCommand> {
  const options: string[] = [];
  let index = 0;
  for (; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (argument === '--check-hash-based-pycs') {
      options.push(argument, argv[++index] ?? '');
      continue;
    }
    if (argument === '--') {
      index++;
      break;
    }
    if (argument === '-' || !argument.startsWith('-')) break;
    let flags = '';
    for (let at = 1; at < argument.length; at++) {
      const letter = argument[at] ?? '';
      if (FLAGS.includes(letter)) {
        // -i would wait for a person when the program has ended.
        if (letter !== 'i') flags += letter;
        continue;
      }
      if (!'cmWX'.includes(letter)) {
        return fail('USAGE', `cannot trace a Python with ${argument}`, {
          hint: 'pass what follows "python" on a command line: options, then -c CODE, -m MODULE or a script',
        });
      }
      if (flags !== '') options.push(`-${flags}`);
      flags = '';
      const joined = argument.slice(at + 1);
      const value = joined === '' ? argv[++index] : joined;
      if (value === undefined) return fail('USAGE', `-${letter} needs a value`);
      const rest = argv.slice(index + 1);
      if (letter === 'c') return ok({options, program: {kind: 'code', text: value}, arguments: rest});
      if (letter === 'm') return ok({options, program: {kind: 'module', name: value}, arguments: rest});
      options.push(`-${letter}`, value);
      break;
    }
    if (flags !== '') options.push(`-${flags}`);
  }
  const path = argv[index];
  if (path === undefined || path === '-') {
    return fail('USAGE', 'no program to trace', {hint: 'pass -c CODE, -m MODULE or a script'});
  }
  return ok({options, program: {kind: 'script', path}, arguments: argv.slice(index + 1)});
}

/** What follows the interpreter on the command line of a command: what `parsePythonCommand` reads. */
export function pythonWords({options, program, arguments: rest}: PythonCommand): readonly string[] {
  switch (program.kind) {
    case 'code':
      return [...options, '-c', program.text, ...rest];
    case 'module':
      return [...options, '-m', program.name, ...rest];
    case 'script':
      return [...options, program.path, ...rest];
  }
}
