/** Toolchains whose compiler and interpreter are scripts: what is tested is what they are asked, and what is made of it. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type Layout, parseLayout} from '../../src/codegen/layout.js';
import type {Target} from '../../src/cpython/interpreter/target.js';
import {parseVersion} from '../../src/cpython/interpreter/version.js';
import {LAYOUTS_FOLDER} from '../../src/fs/package-files.js';
import {digestOf} from '../../src/model/digest.js';
import type {Toolchain} from '../../src/pipeline/toolchain.js';

/** Writes an executable script; returns its path. */
export function script(path: string, text: string): string {
  writeFileSync(path, text, {mode: 0o755});
  return path;
}

/** The layout file of a CPython version, as it is. */
export function layoutOf(series: string): Layout {
  const header = `python${series}.h`;
  const layout = parseLayout(header, readFileSync(join(LAYOUTS_FOLDER, header), 'utf8'));
  if (!layout.ok) throw new Error(layout.failure.message);
  return layout.value;
}

/**
 * A compiler that writes its words to the output, one a line, and notes each call in `calls` beside it. The option `--fail=TEXT`
 * ends it with that text, `--warn=TEXT` prints it.
 */
const COMPILER = `#!/bin/sh
printf '%s\\n' "$*" >> "\${0%/*}/calls"
words=$*
while [ $# -gt 0 ]; do
  case $1 in
  -o) out=$2; shift ;;
  --fail=*) echo "\${1#--fail=}" >&2; exit 1 ;;
  --warn=*) echo "\${1#--warn=}" >&2 ;;
  esac
  shift
done
set -f
printf '%s\\n' $words > "$out"
`;

export interface FakeToolchain extends Toolchain {
  /** The command lines of the compiler so far. */
  readonly calls: () => readonly string[];
}

/** A toolchain in a directory, for CPython 3.13 if not told otherwise. The interpreter is `folder`/python, which the test writes. */
export function fakeToolchain(
  folder: string,
  change: Partial<Toolchain> = {},
  series = '3.13',
): FakeToolchain {
  const command = script(join(folder, 'fake-cc'), COMPILER);
  const target: Target = {
    version: parseVersion(`${series}.0`) ?? never('version'),
    sysVersion: `${series}.0 (fake)`,
    implementation: 'cpython',
    magic: '00000000',
    cacheTag: `cpython-${series.replace('.', '')}`,
    abiflags: '',
    stdlib: join(folder, 'Lib'),
    prefix: folder,
    basePrefix: folder,
    executable: join(folder, 'python'),
    debug: false,
    freeThreaded: false,
    shared: false,
    extensionSuffix: '.so',
    path: [],
    builtinModules: [],
    frozen: [],
  };
  return {
    target,
    interpreter: {
      python: join(folder, 'python'),
      environment: {PATH: process.env['PATH'] ?? ''},
      signal: new AbortController().signal,
    },
    identity: {name: 'python', digest: digestOf('python')},
    behaviour: {name: 'python', digest: digestOf('behaviour')},
    layout: layoutOf(series),
    addressModel: 'absolute',
    cc: {
      command,
      flags: ['-O3'],
      includes: [{path: join(folder, 'Include'), label: '$SOURCE/Include'}],
      compiler: {
        name: 'gcc',
        digest: digestOf('gcc'),
        family: 'gcc',
        version: '12.2.0',
        target: 'x86_64-linux-gnu',
        files: [],
      },
      headers: {name: 'headers', digest: digestOf('headers')},
    },
    globalStringsHeader: undefined,
    frozenModules: [],
    getpath: undefined,
    ...change,
    calls: () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n'),
  };
}

function never(what: string): never {
  throw new Error(`no ${what}`);
}
