/**
 * Bazel as Debian packages it, for tests: 7.7.1 and 4.2.3, each in a root directory of its own (debian-root.ts), with
 * workspaces in a directory of this machine.
 */
import {execFileSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {shellText} from '../../src/hosts/overlay/start-hooks.js';
import {debianRoot, runInRoot} from '../../support/debian-root.js';
import {temporaryDirectory} from './temporary-directory.js';

const PACKAGE = join(import.meta.dirname, '..', '..');
const TOOLS = join(import.meta.dirname, '..', 'bazel');

export type Suite = 'forky' | 'bookworm';

/** The root of a suite, built when it is not there yet; undefined, with a word on standard error, where it cannot be had. */
export const bazelRoot = (suite: Suite): Promise<string | undefined> => debianRoot(`bazel-root-${suite}`);

/**
 * Unpacks the archive that users get of this package to `folder`, with what the tests add to the example's workspace. A folder that is there is
 * completed.
 */
export function unpackPackage(folder: string): {readonly workspace: string} {
  mkdirSync(folder, {recursive: true});
  const packed = temporaryDirectory('packed');
  // The tests have compiled the package before they began.
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', packed], {
    cwd: PACKAGE,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [archive = ''] = readdirSync(packed);
  execFileSync('tar', ['-xzf', join(packed, archive), '-C', folder, '--strip-components=1']);
  const workspace = join(folder, 'examples', 'bazel-workspace');
  // A copy of the example's program, for a BUILD file of the tests.
  cpSync(join(workspace, 'tally'), join(workspace, 'traced'), {recursive: true});
  cpSync(join(TOOLS, 'workspace'), workspace, {recursive: true});
  return {workspace};
}

export interface Command {
  readonly name: string;
  /** A line for a shell, in the workspace; `bazel` is ready for use without a network. */
  readonly line: string;
}

export interface Answer {
  readonly exitCode: number;
  readonly text: string;
}

/**
 * Runs commands in a root, one after the other, with one Bazel server for all of them; it is gone afterwards. Answers by
 * name, standard output and error in one.
 * @param folder all that they write is in there
 */
export async function bazelSession(
  root: string,
  suite: Suite,
  folder: string,
  workspace: string,
  commands: readonly Command[],
): Promise<ReadonlyMap<string, Answer>> {
  const answers = join(folder, 'answers');
  mkdirSync(answers, {recursive: true});
  // Where the root finds them, too.
  const offline = join(folder, 'offline');
  cpSync(join(TOOLS, 'offline'), offline, {recursive: true});
  const stands =
    suite === 'forky' ? ['apple_support', 'buildozer', 'protobuf', 'zlib'] : ['rules_cc', 'rules_java'];
  const override = suite === 'forky' ? '--override_module' : '--override_repository';
  const flags = [
    ...stands.map((name) => `${override}=${name}=${join(offline, name)}`),
    '--jobs=2',
    '--sandbox_debug=false',
    '--spawn_strategy=linux-sandbox',
    '--color=no',
    '--curses=no',
    '--noshow_progress',
  ];
  const lines = commands.map(({name, line}) => {
    const file = shellText(join(answers, name));
    return `( ${line}\n) >${file}.text 2>&1 </dev/null; echo $? >${file}.code`;
  });
  const text = `bazel() { startup=$1; shift; command=$1; shift; command bazel --output_base="$startup" $command ${flags.map(shellText).join(' ')} "$@"; }\n${lines.join('\n')}\n`;
  writeFileSync(join(folder, 'session.sh'), text);
  const done = await runInRoot(root, ['sh', join(folder, 'session.sh')], {
    binds: {[folder]: 'write'},
    cwd: workspace,
    timeoutMs: 25 * 60_000,
  });
  if (!done.ok) throw new Error(`the session could not be run: ${done.failure.message}`);
  if (done.value.exitCode !== 0)
    throw new Error(`the session ended with ${done.value.exitCode}: ${done.value.stderr}`);
  return new Map(
    commands.map(({name}) => [
      name,
      {
        exitCode: Number(readFileSync(join(answers, `${name}.code`), 'utf8')),
        text: readFileSync(join(answers, `${name}.text`), 'utf8'),
      },
    ]),
  );
}

export interface Executed {
  readonly mnemonic: string;
  readonly inputs: readonly string[];
  /** What ran it: `linux-sandbox`, `remote`, `remote cache hit`. */
  readonly runner: string;
}

/** The actions that really ran, with their inputs, from a log of --execution_log_json_file. */
export function executed(log: string): readonly Executed[] {
  if (!existsSync(log)) return [];
  // The log is JSON objects, one after the other: only where they meet are braces the first of a line.
  const records = readFileSync(log, 'utf8')
    .replaceAll(/^\}\{/gm, '}\n{')
    .split(/^(?=\{)/m);
  return records
    .filter((record) => record.trim() !== '')
    .map((record) => JSON.parse(record) as {mnemonic: string; inputs?: {path: string}[]; runner: string})
    .map(({mnemonic, inputs = [], runner}) => ({mnemonic, inputs: inputs.map(({path}) => path), runner}));
}

/** What Bazel says of the actions of a build: `12 internal, 170 remote`; all that it said, where it got not that far. */
export const processesOf = (answer: Answer | undefined): string =>
  /INFO: \d+ process(?:es)?: (.*)\./.exec(answer?.text ?? '')?.[1] ?? answer?.text ?? '';
