import {open} from 'node:fs/promises';
import {basename, resolve} from 'node:path';
import {parsePythonCommand, type PythonCommand} from '../../cpython/interpreter/python-command.js';
import {runProcess} from '../../exec/process.js';
import {findTool} from '../../exec/tools.js';
import {fail, ok, type Result} from '../../model/result.js';
import {shellWords, splitCommandLine} from '../../model/shell-words.js';

/** A program of Python, as the kernel would start it. */
export interface FoundProgram {
  /** The interpreter, by the path that starts it: in a virtual environment that is a link, and has to stay one. */
  readonly python: string;
  /** What follows it on its command line. */
  readonly command: PythonCommand;
}

/** A command as it is followed: an executable, and the words after it. */
interface Step {
  readonly file: string;
  readonly words: readonly string[];
}

export interface Surroundings {
  readonly cwd: string;
  /** All variables; PATH is searched. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** So much of a file is looked at: its first line, and where a shell script begins. */
const HEAD_BYTES = 4096;
/** Scripts whose interpreters are scripts: the kernel follows four (fs/exec.c, exec_binprm). */
const MAX_SCRIPTS = 5;

/**
 * Finds the interpreter that a command starts: the command itself, or that in the first line of its script, through `env`, the shell
 * lines that pip and distlib write for long paths, and pyenv's shims. Fails with USAGE for a command that is not Python's, or that
 * only talks to a person, and with NO_TOOL when there is no such command.
 */
export async function findProgram(
  command: readonly string[],
  surroundings: Surroundings,
): Promise<Result<FoundProgram>> {
  const [name = '', ...rest] = command;
  const found = await follow(name, rest, surroundings, MAX_SCRIPTS);
  if (!found.ok) return found;
  const parsed = parsePythonCommand(found.value.words);
  if (parsed.ok) return ok({python: found.value.file, command: parsed.value});
  return fail('USAGE', `${command.join(' ')} runs no program of Python`, {
    hint: "name one: 'python3 -m json.tool --help', 'python3 script.py', or an installed command such as 'hg version'",
  });
}

async function follow(
  name: string,
  rest: readonly string[],
  surroundings: Surroundings,
  left: number,
): Promise<Result<Step>> {
  const {cwd, environment} = surroundings;
  const file = await findTool(name.includes('/') ? resolve(cwd, name) : name, environment['PATH'] ?? '');
  if (file === undefined) {
    const hint = name.endsWith('.py')
      ? `start it with its Python: python3 ${name}`
      : 'check its name and PATH';
    return fail('NO_TOOL', `${name}: command not found`, {hint});
  }
  const head = await readHead(file);
  if (!head.ok) return head;
  const [first = '', second = ''] = head.value.split('\n');
  if (!first.startsWith('#!')) {
    return /python/i.test(basename(file)) ? ok({file, words: rest}) : fail(...notPython(file));
  }
  if (left === 0) return fail('USAGE', `${file}: too many scripts start each other`);
  const next = await interpreterOf(file, first.slice(2), second, head.value, surroundings);
  if (next === undefined) return fail(...notPython(file));
  const [interpreter = '', ...options] = next.words;
  return follow(interpreter, [...options, ...(next.replaces ? [] : [file]), ...rest], surroundings, left - 1);
}

/** What the first line of a script starts: the words before the script's own path, or in the script's place. */
async function interpreterOf(
  file: string,
  line: string,
  second: string,
  text: string,
  {cwd, environment, signal}: Surroundings,
): Promise<{readonly words: readonly string[]; readonly replaces: boolean} | undefined> {
  // The kernel passes all that follows the interpreter as one argument (fs/binfmt_script.c).
  const [, interpreter = '', argument = ''] = /^\s*(\S+)\s*(.*?)\s*$/.exec(line) ?? [];
  let words: readonly string[] | undefined = argument === '' ? [interpreter] : [interpreter, argument];
  if (basename(interpreter) === 'env') {
    words = argument.startsWith('-S') ? splitCommandLine(argument.slice(2)) : [argument];
  }
  const [started = ''] = words ?? [];
  if (words === undefined || started.includes('=')) return undefined;
  if (!/^(ba|da|z|k)?sh$/.test(basename(started))) return {words, replaces: false};
  const [, executed] = /^'''exec' (.*) "\$0" "\$@"$/.exec(second) ?? [];
  if (executed !== undefined) return {words: shellWords(executed), replaces: false};
  const [, pyenv] = /^exec "?([^"\n]*\/pyenv)"? exec /m.exec(text) ?? [];
  if (pyenv === undefined) return undefined;
  const which = await runProcess({file: pyenv, args: ['which', basename(file)], cwd, environment, signal});
  const path = which.ok && which.value.exitCode === 0 ? which.value.stdout.trim() : '';
  return path === '' ? undefined : {words: [path], replaces: true};
}

async function readHead(file: string): Promise<Result<string>> {
  try {
    const handle = await open(file);
    try {
      const {buffer, bytesRead} = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return ok(buffer.toString('utf8', 0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return fail('IO', `cannot read ${file}: ${String(error)}`);
  }
}

function notPython(file: string): Parameters<typeof fail> {
  return [
    'USAGE',
    `${file} is not a program of Python`,
    {
      hint: 'the interpreter is found in the command itself, or in the first line of its script; otherwise start the program with its Python',
    },
  ];
}
