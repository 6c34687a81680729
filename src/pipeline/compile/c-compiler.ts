import {join} from 'node:path';
import {parseCompilerCommand} from '../../cpython/build/compiler-command.js';
import {type ProcessOutput, runProcess} from '../../exec/process.js';
import type {Artifact, OutputSpec} from '../../model/action.js';
import type {ActionSpec} from '../../model/action-spec.js';
import {digestOf} from '../../model/digest.js';
import {type Result, fail, ok} from '../../model/result.js';
import {LAYOUTS_FOLDER, RUNTIME_FOLDER} from '../../fs/package-files.js';
import type {Places} from '../build-places.js';
import {createPrecompiledHeader} from './precompiled-header.js';
import type {Toolchain} from '../toolchain.js';

/** Compiles C the way CPython compiles its own, against the target's headers. */
export interface CCompiler {
  /** The action that compiles one file. `data`: it contains only initialised data. */
  readonly action: (request: CompileC) => ActionSpec;
}

export interface CompileC {
  /** What follows `cc:` in the action's id. */
  readonly target: string;
  readonly source: Artifact;
  readonly kind: 'data' | 'code';
  readonly output: OutputSpec;
}

const PLACEMENT = {
  absolute: ['-fno-pie'],
  'position-independent': ['-fPIC', '-DFF_POSITION_INDEPENDENT=1'],
} as const;

/** The compiler's flags for files of each kind, without directories of headers. */
export function objectFlagsOf({
  cc,
  layout,
  addressModel,
}: Pick<Toolchain, 'cc' | 'layout' | 'addressModel'>): Readonly<Record<CompileC['kind'], readonly string[]>> {
  const {family, target: machine} = cc.compiler;
  const own = parseCompilerCommand(cc.command).flags;
  const common = [
    ...own,
    ...cc.flags,
    // What the linker has to redirect must be machine code.
    ...(own.some((flag) => flag.startsWith('-flto')) ? ['-fno-lto'] : []),
    `-DFF_LAYOUT="${layout.header}"`,
    '-fvisibility=hidden',
    '-g0',
    // The name of the compiler's package is left out: other builds of the same version make the same objects.
    '-fno-ident',
    '-w',
    ...PLACEMENT[addressModel],
    ...(family === 'gcc' && machine.startsWith('x86_64') ? ['-malign-data=abi'] : []),
  ];
  return {data: [...common, '-O0'], code: [...common, '-O2']};
}

/** @param headers the runtime's headers that files of each kind include; @param places of the build, in whose directory the compiler runs */
export function createCCompiler(
  {cc, layout, addressModel, interpreter}: Toolchain,
  headers: Readonly<Record<CompileC['kind'], readonly Artifact[]>>,
  places: Places,
): CCompiler {
  const {environment, signal} = interpreter;
  const {file: program, prefix} = parseCompilerCommand(cc.command);
  // A launcher looks results up by the words of the call and the files that are included (ccache, recc), so these do not depend on the order of the calls.
  const isPrecompilable = cc.compiler.family === 'gcc' && prefix.length === 0;
  const flags = objectFlagsOf({cc, layout, addressModel});
  const folders = [RUNTIME_FOLDER, LAYOUTS_FOLDER, ...cc.includes.map(({path}) => path)];
  const includes = folders.map((folder) => `-I${folder}`);
  const labels = cc.includes.map(({label}) => `-I${label}`);
  const declared = {data: [...labels, ...flags.data], code: [...labels, ...flags.code]};

  const run = (args: readonly string[]): Promise<Result<ProcessOutput>> =>
    runProcess({file: program, args: [...prefix, ...args], cwd: places.root, environment, signal});
  const identity = [
    cc.compiler.digest,
    cc.headers.digest,
    ...headers.code.map(({digest}) => digest),
    ...flags.code,
  ];
  const precompiled = createPrecompiledHeader(
    places.work,
    layout.header,
    digestOf(identity.join('\n')),
    async (file) => {
      const header = join(LAYOUTS_FOLDER, layout.header);
      const done = await run([...flags.code, ...includes, '-x', 'c-header', header, '-o', file]);
      return done.ok && done.value.exitCode === 0;
    },
  );

  return {
    action: ({target, source, kind, output}) => ({
      id: `cc:${target}`,
      tools: [cc.compiler, cc.headers],
      arguments: declared[kind],
      environment: {},
      inputs: [source, ...headers[kind]],
      outputs: [output],
      storage: 'shared',
      execute: async ({outputs, log}) => {
        const first = isPrecompilable && kind === 'code' ? await precompiled.flags() : [];
        const file = outputs[output.name] ?? '';
        const done = await run([...flags[kind], ...first, ...includes, '-c', source.path, '-o', file]);
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
      `the headers of this CPython do not match the layout that ${target} was generated for`,
      {
        hint: 'this CPython differs from the release that the layout file was written for',
        details,
      },
    );
  }
  return fail('CC', `the C compiler failed to compile ${target}`, {details});
}
