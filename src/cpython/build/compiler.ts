import {runProcess} from '../../exec/process.js';
import {findTool} from '../../exec/tools.js';
import type {ToolIdentity} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {fail, ok, type Result} from '../../model/result.js';
import {canonicalJson} from '../../model/canonical-json.js';
import {findCompiler} from './build-tools.js';
import {parseCompilerCommand} from './compiler-command.js';

/** A C compiler with the flags that affect preprocessing. */
export interface CompilerIdentity extends ToolIdentity {
  /** Such as `gcc` or `clang`. */
  readonly family: string;
  /** Such as `12.2.0`. */
  readonly version: string;
  /** Such as `x86_64-linux-gnu`. */
  readonly target: string;
  /** Absolute paths of the programs and headers that it was computed from: it is valid as long as they do not change. */
  readonly files: readonly string[];
}

/** Lines of `cc -v` that contain local paths or change between calls. */
const PLACES =
  /^(COLLECT_|COMPILER_PATH=|LIBRARY_PATH=|InstalledDir:|Reading specs|Found candidate|Selected |Candidate multilib|Using built-in|OFFLOAD_)/;

/** The standard headers that Python.h brings in: what they declare is part of every object file's meaning. */
const HEADERS = [
  ...[
    'assert',
    'ctype',
    'errno',
    'fcntl',
    'inttypes',
    'limits',
    'math',
    'pthread',
    'stdarg',
    'stddef',
    'stdint',
  ],
  ...['stdio', 'stdlib', 'string', 'sys/stat', 'sys/time', 'sys/types', 'time', 'unistd', 'wchar'],
];
const PROBE = HEADERS.map((name) => `#include <${name}.h>\n`).join('');

/**
 * The identity of a compiler, by its behaviour: its `-v` without paths, its assembler and linker, and the text of the system's
 * headers with all macros, as the compiler reads them under `flags`. Equal on two machines with the same packages.
 *
 * `cc` is a command as in CC. A launcher in it (`ccache gcc`) is not part of the identity. Fails with NO_COMPILER.
 */
export async function compilerIdentity(
  cc: string,
  flags: readonly string[],
  run: {readonly environment: Readonly<Record<string, string>>; readonly signal: AbortSignal},
): Promise<Result<CompilerIdentity>> {
  const found = await findCompiler(run.environment, cc);
  if (!found.ok) return found;
  const {prefix, flags: ownFlags} = parseCompilerCommand(cc);
  const own = [...prefix, ...ownFlags];
  const ask = async (file: string, args: readonly string[], input?: string): Promise<Result<string>> => {
    const done = await runProcess({
      file,
      args,
      cwd: '/',
      environment: {...run.environment, LC_ALL: 'C'},
      signal: run.signal,
      ...(input === undefined ? {} : {input}),
    });
    if (!done.ok) return done;
    const {exitCode, stdout, stderr} = done.value;
    if (exitCode === 0) return ok(stdout + stderr);
    const message = `the C compiler ${cc} does not work (${args.join(' ')})`;
    return fail('NO_COMPILER', message, {details: stderr.trimEnd().slice(-4000)});
  };
  const compiler = found.value;
  const preprocess = [...own, ...flags, '-E', '-x', 'c', '-'];
  const [verbose, target, headers, dependencies, assembler, linker, proper] = await Promise.all([
    describe(),
    ask(compiler, [...own, ...flags, '-dumpmachine']),
    ask(compiler, [...preprocess, '-P', '-dD'], PROBE),
    ask(compiler, [...preprocess, '-M'], PROBE),
    toolOf('as'),
    toolOf('ld'),
    toolOf('cc1'),
  ]);
  if (!verbose.ok) return verbose;
  if (!target.ok) return target;
  if (!headers.ok) return headers;
  if (!dependencies.ok) return dependencies;

  const words = verbose.value.split('\n').filter((line) => !PLACES.test(line.trim()));
  const [, family = 'cc', version = ''] =
    /\b(gcc|clang)\b[^\n]*?version ([^\s(]+)/.exec(words.join('\n')) ?? [];
  const [as, ld] = [assembler.version, linker.version];
  const record = {words, target: target.value, headers: digestOf(headers.value), assembler: as, linker: ld};
  const launched = await Promise.all(prefix.map((word) => findTool(word, run.environment['PATH'])));
  const headerFiles = dependencies.value.split(/[\s\\]+/).filter((word) => word.startsWith('/'));
  return ok({
    name: `${family} ${version}`.trim(),
    family,
    version,
    target: target.value.trim(),
    digest: digestOf(canonicalJson(record)),
    files: [
      compiler,
      ...launched.flatMap((path) => path ?? []),
      ...[assembler, linker, proper].flatMap(({path}) => path ?? []),
      ...headerFiles,
    ],
  });

  /** What it says of itself. With flags for the linker, it would link. */
  async function describe(): Promise<Result<string>> {
    const asked = await ask(compiler, [...own, '-v']);
    if (asked.ok || !own.some((flag) => /^-(Wl,|Xlinker$|l|L)/.test(flag))) return asked;
    return ask(compiler, [...own, '-c', '-v']);
  }

  /** The path of a tool of the compiler and the first line of its version; nothing if there is none. */
  async function toolOf(tool: string): Promise<{path?: string; version: string}> {
    const asked = await ask(compiler, [...own, `-print-prog-name=${tool}`]);
    const path = asked.ok ? await findTool(asked.value.trim(), run.environment['PATH']) : undefined;
    if (path === undefined) return {version: ''};
    const words = await ask(path, ['--version']);
    return {path, version: words.ok ? (words.value.split('\n')[0] ?? '') : ''};
  }
}
