import {access, constants} from 'node:fs/promises';
import {openStore} from '../cache/store.js';
import {findCompiler, findMake} from '../cpython/build/build-tools.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import {runProcess} from '../exec/process.js';
import {findTool} from '../exec/tools.js';
import type {FailureCode} from '../model/failure.js';
import {oldestNode} from '../fs/package-files.js';
import {knownSeries} from '../pipeline/compile/load-layout.js';
import type {HostContext} from '../pipeline/build-options.js';

/** One check. */
export interface Check {
  readonly name: string;
  /** What was found; undefined if it is missing or unusable. */
  readonly found: string | undefined;
  /** What it is needed for. */
  readonly purpose: string;
  /** The failure if it is missing; undefined if builds do not need it. */
  readonly code: FailureCode | undefined;
  readonly hint?: string | undefined;
}

/** Optional tools, with their purposes. */
const OPTIONAL_TOOLS: readonly (readonly [name: string, purpose: string])[] = [
  ['python3', 'the tests'],
  ['patchelf', 'relink of a Python whose archive cannot be linked'],
  ['xz', 'unpacking a source archive .tar.xz'],
  ['valgrind', 'counting instructions in bench'],
  ['hyperfine', 'measuring start-up by hand'],
];

/** Checks what a build needs from this machine, in the order in which it is needed. */
export async function examineMachine(context: HostContext): Promise<readonly Check[]> {
  const environment = scrubbedEnvironment({}, context.userEnvironment);
  const compiler = await findCompiler(environment, context.userEnvironment['CC']);
  const make = await findMake(environment);
  const say = (path: string): Promise<string> => firstLine(path, environment, context.signal);
  const tools = await Promise.all(
    OPTIONAL_TOOLS.map(async ([name, purpose]): Promise<Check> => {
      const path = await findTool(name, environment['PATH']);
      return {name, purpose, found: path && (await say(path)), code: undefined};
    }),
  );
  const series = await knownSeries();
  return [
    checkNode(process.versions.node),
    {
      name: 'C compiler',
      purpose: 'stage 1 and the images',
      found: compiler.ok ? await say(compiler.value) : undefined,
      code: 'NO_COMPILER',
      hint: compiler.ok ? undefined : compiler.failure.hint,
    },
    {
      name: 'make',
      purpose: 'stage 1 and the link',
      found: make.ok ? await say(make.value) : undefined,
      code: 'NO_MAKE',
      hint: make.ok ? undefined : make.failure.hint,
    },
    await checkCache(context),
    {name: 'CPython', purpose: 'the layout of its objects', found: series.join(', '), code: 'LAYOUT'},
    ...tools,
  ];
}

/** @param version that of the running Node, such as `20.19.0` */
export function checkNode(version: string, required = oldestNode()): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = required.split('.').map(Number);
  const isNew = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  return {
    name: 'Node.js',
    purpose: 'running flashfreeze',
    found: isNew ? version : undefined,
    code: 'NO_TOOL',
    hint: isNew ? undefined : `this is Node.js ${version}; install ${required} or newer`,
  };
}

async function checkCache({cacheDir, trustCache}: HostContext): Promise<Check> {
  const check = {name: 'cache', purpose: 'results of earlier builds', code: 'CACHE'} as const;
  const store = await openStore(cacheDir, {trustOthers: trustCache});
  if (!store.ok) return {...check, found: undefined, hint: store.failure.hint};
  const isWritable = await access(cacheDir, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) {
    return {...check, found: undefined, hint: `${cacheDir} is not writable; use another --cache-dir`};
  }
  const {bytes} = await store.value.stats();
  return {...check, found: `${cacheDir}, ${(bytes / 1e6).toFixed(1)} MB`};
}

/** The first line of a tool's version output, or its path if there is none. */
async function firstLine(
  file: string,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const run = await runProcess({
    file,
    args: ['--version'],
    cwd: '/',
    environment,
    signal,
    timeoutMs: 10_000,
  });
  const line = run.ok ? `${run.value.stdout}${run.value.stderr}`.trim().split('\n')[0] : undefined;
  return line === undefined || line === '' ? file : line;
}
