import {runProcess} from '../exec/process.js';
import type {ActionSpec, Artifact, OutputSpec, ToolIdentity} from '../model/action.js';
import {type Result, fail, ok} from '../model/result.js';
import {LAYOUTS_FOLDER, RUNTIME_FOLDER} from './package-files.js';
import type {Places} from './places.js';
import type {Stage1} from './stage1.js';

/** Compiles C the way CPython compiles its own, against the headers of its build. */
export interface CCompiler {
  /** The action that compiles one file. `data`: it holds nothing but initialised data. */
  readonly action: (request: CompileC) => ActionSpec;
  readonly cwd: string;
}

export interface CompileC {
  /** What follows `cc:` in the action's id. */
  readonly target: string;
  readonly source: Artifact;
  readonly headers: readonly Artifact[];
  readonly kind: 'data' | 'code';
  readonly output: OutputSpec;
}

/** Flags of CPython's own compilation that our files must not have: they would turn objects into intermediate code, ask
 * for profiles, or make data large with debug information. */
const LEFT_OUT = /^-(flto|ffat-lto|fprofile|fauto-profile|g(?!nu)|O|W|fwrapv$)/;

/**
 * @param isStatic the executable is linked position-dependent (`-no-pie`)
 * @param sourceTree absolute path of CPython's source tree
 */
export function createCCompiler(
  stage1: Stage1,
  places: Places,
  sourceTree: string,
  layoutHeader: string,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): CCompiler {
  const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');
  const {CC, PY_CORE_CFLAGS, LINKFORSHARED, PY_CORE_LDFLAGS} = stage1.variables;
  const [command = 'cc', ...ccFlags] = words(CC);
  const isPositionDependent = words(`${LINKFORSHARED} ${PY_CORE_LDFLAGS}`).includes('-no-pie');
  const common = [
    ...ccFlags,
    ...words(PY_CORE_CFLAGS).filter((flag) => !LEFT_OUT.test(flag)),
    `-I${sourceTree}/Include/internal`,
    `-DFF_LAYOUT="${layoutHeader}"`,
    '-g0',
    '-w',
    ...(isPositionDependent ? ['-fno-pie'] : []),
    ...(stage1.compiler.family === 'gcc' && stage1.compiler.target.startsWith('x86_64')
      ? ['-malign-data=abi']
      : []),
  ];
  const flags = {data: [...common, '-O0'], code: [...common, '-O2']};
  /** Flags as key records have them: without the places of this machine. */
  const portable = (flag: string): string =>
    flag.replaceAll(sourceTree, '$SOURCE').replaceAll(places.cpython, '$BUILD');
  const ourHeaders = [`-I${RUNTIME_FOLDER}`, `-I${LAYOUTS_FOLDER}`];
  const tools: readonly ToolIdentity[] = [stage1.compiler, stage1.headers];

  return {
    cwd: places.cpython,
    action: ({target, source, headers, kind, output}) => ({
      id: `cc:${target}`,
      tools,
      arguments: flags[kind].map(portable),
      environment: {},
      inputs: [source, ...headers],
      outputs: [output],
      storage: 'shared',
      execute: async ({outputs, log}) => {
        const done = await runProcess({
          file: command,
          args: [...ourHeaders, ...flags[kind], '-c', source.path, '-o', outputs[output.name] ?? ''],
          cwd: places.cpython,
          environment,
          signal,
        });
        if (!done.ok) return done;
        if (done.value.exitCode === 0) {
          if (done.value.stderr !== '') log(done.value.stderr);
          return ok();
        }
        return explainFailure(target, done.value.stderr);
      },
    }),
  };
}

function explainFailure(target: string, stderr: string): Result<void> {
  const details = stderr.split('\n').slice(0, 20).join('\n');
  if (stderr.includes('flashfreeze layout')) {
    return fail(
      'LAYOUT',
      `The headers of this CPython do not match the layout that ${target} was generated for.`,
      {
        hint: 'this CPython differs from the release that the layout file was written for',
        details,
      },
    );
  }
  return fail('CC', `The C compiler refused ${target}.`, {details});
}
